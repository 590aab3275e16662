/**
 * The log of transfers in the format that wu-ftpd made the standard (xferlog(5)): one line per file, fields behind
 * single spaces.
 *
 *   date  seconds  client  bytes  file  b|a  _  o|i  a|r  user  ftp  0  *  c|i
 *
 * `o` is a download, `i` an upload; `a` is an anonymous user, `r` a real one; only `c` means that the file arrived.
 */
import { closeSync, openSync, writeSync } from 'node:fs';

export interface XferlogEntry {
  readonly at: Date;
  /** Milliseconds. */
  readonly duration: number;
  /** Numeric address. */
  readonly client: string;
  readonly bytes: number;
  /** One character a byte (latin1). */
  readonly file: string;
  readonly isAscii: boolean;
  readonly isUpload: boolean;
  readonly user: string;
  readonly isComplete: boolean;
}

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const anonymous = ['anonymous', 'ftp'];

/** Seconds are at least 1, as readers of the format divide by them. Ends with a line break. */
export function formatXferlog(entry: XferlogEntry): string {
  const { at, user } = entry;
  const fields = [
    dateOf(at),
    String(Math.max(1, Math.round(entry.duration / 1_000))),
    entry.client,
    String(entry.bytes),
    word(entry.file),
    entry.isAscii ? 'a' : 'b',
    '_',
    entry.isUpload ? 'i' : 'o',
    anonymous.includes(user.toLowerCase()) ? 'a' : 'r',
    word(user),
    'ftp',
    '0',
    '*',
    entry.isComplete ? 'c' : 'i',
  ];
  return `${fields.join(' ')}\n`;
}

/** Local time, as the format has it. */
function dateOf(at: Date): string {
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, '0'));
  const day = String(at.getDate()).padStart(2, ' ');
  return `${days[at.getDay()]} ${months[at.getMonth()]} ${day} ${time.join(':')} ${at.getFullYear()}`;
}

/** What would end a field or a line becomes an underscore. */
function word(text: string): string {
  return text.replaceAll(/[^\x21-\x7e\x80-\xff]/g, '_') || '_';
}

/** The log as a file that is appended to, one write a line. */
export class Xferlog {
  readonly #path: string;
  readonly #onFault: (error: unknown) => void;
  #descriptor: number | undefined;
  #hasFailed = false;

  /** `onFault` is told of the first of a row of failures. Throws the system's error where the file cannot be opened. */
  constructor(path: string, onFault: (error: unknown) => void) {
    this.#path = path;
    this.#onFault = onFault;
    this.#descriptor = openSync(path, 'a');
  }

  /** Never throws. */
  write(entry: XferlogEntry): void {
    if (this.#descriptor === undefined) return;
    try {
      writeSync(this.#descriptor, formatXferlog(entry), undefined, 'latin1');
      this.#hasFailed = false;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Opens the path anew: what it named before has been renamed by whoever rotates logs. Never throws. */
  reopen(): void {
    try {
      const descriptor = openSync(this.#path, 'a');
      this.close();
      this.#descriptor = descriptor;
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Idempotent. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #fail(error: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    this.#onFault(error);
  }
}
