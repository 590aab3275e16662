/**
 * The lines of an FTP control connection, one framer a direction.
 *
 * Rules
 *  1. LF ends a line whatever stands around it; one CR in front of the LF belongs to the end (RFC 959 section 5.3.1).
 *  2. A NUL or a CR that is left in a line makes it faulty. Nothing is repaired.
 *  3. A line that is too long is told as soon as that is known, once, and the rest of it is dropped.
 *  4. Telnet commands in front of a client's line are no part of it (telnet.ts).
 *  5. How the bytes were cut into chunks never matters, but for a client's ABOR: it is whole with its CR if nothing stands
 *     behind that yet. The LF is urgent data in what some clients send (Python's ftplib), and lost on the way to us.
 */
import { backendError, clientError, type FtpProtocolError, type Peer } from './errors.ts';
import { stripTelnet } from './telnet.ts';

/**
 * Bytes of a line in front of its LF. A client sends paths, which systems limit to 4 KiB; a backend sends facts and
 * listings beside them.
 */
export const lineCaps: Readonly<Record<Peer, number>> = { client: 4096, backend: 8192 };

export const lineFaults = ['too-long', 'nul', 'bare-cr'] as const;
export type LineFault = (typeof lineFaults)[number];

export interface SoundLine {
  readonly kind: 'line';
  /** One character a byte (latin1), without the end of the line. */
  readonly text: string;
  /** A Telnet interrupt stood in front of it. Only clients interrupt. */
  readonly interrupted: boolean;
}

export interface FaultyLine {
  readonly kind: 'faulty';
  readonly fault: LineFault;
  /** What it begins with: enough to tell whose language it is. */
  readonly start: string;
}

export type Line = SoundLine | FaultyLine;

/** A chunk that waits to be read. A list, because an array that is emptied from its front costs its length each time. */
interface Unread {
  readonly bytes: Buffer;
  behind: Unread | undefined;
}

const lineFeed = 10;
const carriageReturn = 13;
/** Bytes: with more Telnet commands in front than anybody sends. */
const longestAbort = 32;
/** Bytes of a faulty line that are kept. */
const startLength = 64;
const nothing = Buffer.alloc(0);

export class LineFramer {
  readonly #peer: Peer;
  readonly #cap: number;
  #first: Unread | undefined;
  #last: Unread | undefined;
  /** Bytes of the first chunk that were read. */
  #offset = 0;
  /** Bytes of all chunks that were not. */
  #unread = 0;
  /** The beginning of a line whose end has not been seen: `#length` bytes of `#begun`. */
  #begun: Buffer = nothing;
  #length = 0;
  #isDropping = false;
  /** A line was taken without its LF, which may come all the same. */
  #isEndOwed = false;

  constructor(peer: Peer, cap: number = lineCaps[peer]) {
    this.#peer = peer;
    this.#cap = cap;
  }

  /** Bytes that stand behind the last line that was taken, of whole lines and of one that has only begun. */
  get buffered(): number {
    return this.#unread + this.#length;
  }

  /** Takes what has arrived, without a copy: `chunk` must not change until its lines have been taken. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const added: Unread = { bytes, behind: undefined };
    if (this.#last === undefined) this.#first = added;
    else this.#last.behind = added;
    this.#last = added;
    this.#unread += bytes.length;
  }

  /** Takes the next line, or undefined if none is complete. */
  next(): Line | undefined {
    while (this.#first !== undefined) {
      const { bytes } = this.#first;
      if (this.#takeOwedEnd(bytes)) continue;
      const end = bytes.indexOf(lineFeed, this.#offset);
      const piece = bytes.subarray(this.#offset, end < 0 ? bytes.length : end);
      this.#skip(end < 0 ? piece.length : piece.length + 1);
      const line = this.#onPiece(piece, end >= 0);
      if (line !== undefined) return line;
    }
    return this.#takeAbort();
  }

  /** ABOR without its LF. */
  #takeAbort(): Line | undefined {
    const isBegun = this.#begun[this.#length - 1] === carriageReturn && this.#length <= longestAbort;
    if (!isBegun || this.#peer === 'backend') return undefined;
    const line = lineOf(this.#begun.toString('latin1', 0, this.#length), this.#peer);
    if (line.kind !== 'line' || line.text.toUpperCase() !== 'ABOR') return undefined;
    this.#forget();
    this.#isEndOwed = true;
    return line;
  }

  #takeOwedEnd(bytes: Buffer): boolean {
    const isThere = this.#isEndOwed && bytes[this.#offset] === lineFeed;
    this.#isEndOwed = false;
    if (isThere) this.#skip(1);
    return isThere;
  }

  #skip(count: number): void {
    this.#unread -= count;
    this.#offset += count;
    if (this.#first === undefined || this.#offset < this.#first.bytes.length) return;
    this.#first = this.#first.behind;
    this.#offset = 0;
    if (this.#first === undefined) this.#last = undefined;
  }

  #onPiece(piece: Buffer, isLast: boolean): Line | undefined {
    if (this.#isDropping) {
      this.#isDropping = !isLast;
      return undefined;
    }
    if (this.#length + piece.length > this.#cap) {
      this.#isDropping = !isLast;
      const start = this.#startWith(piece);
      this.#forget();
      return { kind: 'faulty', fault: 'too-long', start };
    }
    if (!isLast) {
      this.#append(piece);
      return undefined;
    }
    const text = this.#begun.toString('latin1', 0, this.#length) + piece.toString('latin1');
    this.#forget();
    return lineOf(text, this.#peer);
  }

  /** The same however the line was cut: of no more than the cap is there in any case. */
  #startWith(piece: Buffer): string {
    const begun = this.#begun.toString('latin1', 0, Math.min(this.#length, startLength));
    const text = begun + piece.toString('latin1', 0, startLength);
    return text.slice(0, Math.min(startLength, this.#cap));
  }

  #append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#begun.length) {
      const grown = Buffer.alloc(Math.min(this.#cap, Math.max(2 * length, 64)));
      this.#begun.copy(grown, 0, 0, this.#length);
      this.#begun = grown;
    }
    piece.copy(this.#begun, this.#length);
    this.#length = length;
  }

  #forget(): void {
    this.#begun = nothing;
    this.#length = 0;
  }
}

function lineOf(bytes: string, peer: Peer): Line {
  const whole = bytes.endsWith('\r') ? bytes.slice(0, -1) : bytes;
  const { text, interrupted } = peer === 'client' ? stripTelnet(whole) : { text: whole, interrupted: false };
  const start = text.slice(0, startLength);
  if (text.includes('\0')) return { kind: 'faulty', fault: 'nul', start };
  if (text.includes('\r')) return { kind: 'faulty', fault: 'bare-cr', start };
  return { kind: 'line', text, interrupted };
}

/** What a faulty line of `peer` means for its session. */
export function lineError(peer: Peer, fault: LineFault): FtpProtocolError {
  return peer === 'client' ? clientError(clientTexts[fault]) : backendError(backendTexts[fault]);
}

const clientTexts: Readonly<Record<LineFault, string>> = {
  'too-long': 'Command line too long.',
  nul: 'Command line has a NUL in it.',
  'bare-cr': 'Command line has a CR in it.',
};

const backendTexts: Readonly<Record<LineFault, string>> = {
  'too-long': 'a line of a reply is too long',
  nul: 'a line of a reply has a NUL in it',
  'bare-cr': 'a line of a reply has a CR in it',
};

/** Lines for the wire, CRLF behind each. What a line cannot carry is refused with a RangeError. */
export function encodeLines(lines: readonly string[]): Uint8Array {
  for (const line of lines) {
    if (line.includes('\0') || /[\r\n\u0100-\uffff]/.test(line)) {
      throw new RangeError('a line has no CR, LF or NUL, and one byte a character');
    }
  }
  return Buffer.from(lines.map((line) => `${line}\r\n`).join(''), 'latin1');
}
