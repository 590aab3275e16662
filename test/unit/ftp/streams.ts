import { type Peer } from '../../../src/ftp/errors.ts';
import { type Line, LineFramer } from '../../../src/ftp/lines.ts';
import { type Reply, ReplyParser } from '../../../src/ftp/replies.ts';

export function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** The words of a table. */
export function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

export function textOf(data: Uint8Array): string {
  return Buffer.from(data).toString('latin1');
}

export function drain(framer: LineFramer): Line[] {
  const lines: Line[] = [];
  for (let line = framer.next(); line !== undefined; line = framer.next()) lines.push(line);
  return lines;
}

/** All lines of `chunks`, each of which is read out before the next one comes. */
export function linesOf(peer: Peer, chunks: readonly string[], cap?: number): Line[] {
  const framer = new LineFramer(peer, cap);
  return chunks.flatMap((chunk) => {
    framer.push(bytes(chunk));
    return drain(framer);
  });
}

export function repliesOf(text: string): Reply[] {
  const parser = new ReplyParser();
  return linesOf('backend', [text]).flatMap((line) => parser.push(line) ?? []);
}

export function cut(text: string, places: readonly number[]): string[] {
  const ends = [...places, text.length].sort((a, b) => a - b);
  return ends.map((end, i) => text.slice(ends[i - 1] ?? 0, end));
}
