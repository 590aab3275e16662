/**
 * Replies (RFC 959 section 4.2): how a backend's are read, and how ours are written.
 *
 *   220 text                 one line: a code, then a space or the end of the line
 *
 *   211-text                 several: a code and a hyphen,
 *    anything                lines that may begin with anything, digits too,
 *   211 text                 and the same code with a space
 */
import { type Answer, backendError } from './errors.ts';
import { encodeLines, type Line, lineError } from './lines.ts';

export interface ReplyCaps {
  readonly lines: number;
  /** Ends of lines counted. */
  readonly bytes: number;
}

/** A reply of that many lines is a listing of a large folder (STAT); beyond it, somebody is filling our memory. */
export const replyCaps: ReplyCaps = { lines: 5_000, bytes: 1_048_576 };

export interface Reply {
  /** 100 to 599. */
  readonly code: number;
  /** As the backend sent them, one character a byte, without their ends. */
  readonly lines: readonly string[];
}

export type ReplyClass = 'preliminary' | 'completion' | 'intermediate' | 'transient' | 'permanent';

const firstLine = /^([1-5]\d\d)(?:([ -])|$)/;

export class ReplyParser {
  readonly #caps: ReplyCaps;
  #code = '';
  #lines: string[] = [];
  #bytes = 0;

  constructor(caps: ReplyCaps = replyCaps) {
    this.#caps = caps;
  }

  /** The reply that ends with `line`, if one does. Throws FtpProtocolError; then the backend cannot be followed any more. */
  push(line: Line): Reply | undefined {
    if (line.kind === 'faulty') throw lineError('backend', line.fault);
    const { text } = line;
    const isLast = this.#lines.length === 0 ? this.#begin(text) : text.startsWith(`${this.#code} `);
    this.#lines.push(text);
    this.#bytes += text.length + 2;
    if (this.#lines.length > this.#caps.lines) throw backendError('a reply has too many lines');
    if (this.#bytes > this.#caps.bytes) throw backendError('a reply is too long');
    return isLast ? this.#take() : undefined;
  }

  /** Whether the first line of a reply is its last one. */
  #begin(text: string): boolean {
    const [, code, separator] = firstLine.exec(text) ?? [];
    if (code === undefined) throw backendError('a reply does not begin with a code from 100 to 599');
    this.#code = code;
    return separator !== '-';
  }

  #take(): Reply {
    const reply = { code: Number(this.#code), lines: this.#lines };
    this.#lines = [];
    this.#bytes = 0;
    return reply;
  }
}

/** What a reply means to who waits for it (RFC 959 section 4.2.1). */
export function classOf(code: number): ReplyClass {
  if (code < 200) return 'preliminary';
  if (code < 300) return 'completion';
  if (code < 400) return 'intermediate';
  return code < 500 ? 'transient' : 'permanent';
}

/** The text behind the code of a reply's last line, which alone is acted on. */
export function finalText(reply: Reply): string {
  return reply.lines.at(-1)?.slice(4) ?? '';
}

/** A reply as it came. */
export function encodeReply(reply: Reply): Uint8Array {
  return encodeLines(reply.lines);
}

/** Refuses a code that is none, and CR, LF or NUL in the text, with a RangeError. */
export function encodeAnswer(answer: Answer): Uint8Array {
  return encodeLines([`${checkedCode(answer.code)} ${answer.text}`]);
}

/** An answer of several lines, two at least; otherwise as `encodeAnswer`. Inner lines are indented: none is taken for the last. */
export function encodeAnswerLines(code: number, lines: readonly string[]): Uint8Array {
  const [first, ...inner] = lines;
  const last = inner.pop();
  if (first === undefined || last === undefined) throw new RangeError('two lines at least');
  const digits = checkedCode(code);
  return encodeLines([`${digits}-${first}`, ...inner.map((line) => ` ${line}`), `${digits} ${last}`]);
}

function checkedCode(code: number): number {
  if (!Number.isInteger(code) || code < 100 || code > 599) throw new RangeError('a code is from 100 to 599');
  return code;
}
