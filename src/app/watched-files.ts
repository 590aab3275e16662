/**
 * Files that mean something together, read at the start and again whenever one of them has changed.
 *
 *   looked at ──changed──▶ as they were at the last look? ──▶ read ──sound──▶ in force
 *       ▲                     │ no: somebody writes them       │ not sound, or gone
 *       └─────────────────────┘ ◀──────────────────────────────┘ the last good ones stay
 *
 * They are looked at by the clock, because not every file system tells of changes, and of a replaced link none does.
 */
import { type BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Clock, Timer } from '../net/net.ts';

/** Milliseconds from one look at the files to the next. */
const pollInterval = 1_000;
/** Milliseconds for which files must stay as they are before they are read. */
const settleTime = 100;

interface TextRules {
  /** Bytes that each file may have. */
  readonly maxBytes: number;
  /** What the files have to be, for whoever hears that one is no text. */
  readonly form: string;
}

export interface WatchedFilesParts<T> extends TextRules {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** What the texts of all files mean together, in the order of their paths. Throws what they do not mean. */
  readonly parse: (texts: readonly string[]) => T;
  /** Other texts are in force. Never told of the first ones. */
  readonly onChange: (value: T) => void;
  /** The files have become such that they cannot be used; told once for each way in which they cannot. */
  readonly onFault: (error: unknown) => void;
}

export class WatchedFiles<T> {
  readonly #paths: readonly string[];
  readonly #parts: WatchedFilesParts<T>;
  #texts: readonly string[] = [];
  /** Of the files as they were read last. */
  #version = '';
  /** Of the files as they were at the last look. */
  #seen = '';
  #fault: string | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(paths: readonly string[], parts: WatchedFilesParts<T>) {
    this.#paths = paths;
    this.#parts = parts;
  }

  /** Resolves to what the files mean now. Rejects with FileFault, or with what `parse` throws. */
  async read(): Promise<T> {
    this.#version = await versionOf(this.#paths);
    this.#seen = this.#version;
    this.#texts = await this.#readAll();
    return this.#parts.parse(this.#texts);
  }

  /** As `read`, and looks at the files from then on. */
  async start(): Promise<T> {
    const value = await this.read();
    this.#lookLater(pollInterval);
    return value;
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  #lookLater(delay: number): void {
    if (this.#isStopped) return;
    this.#timer = this.#parts.clock.setTimer(delay, () => void this.#lookAgain());
  }

  async #lookAgain(): Promise<void> {
    let delay = pollInterval;
    try {
      delay = await this.#look();
      this.#fault = undefined;
    } catch (error) {
      this.#onFault(error);
    }
    this.#lookLater(delay);
  }

  /** Resolves to the milliseconds until the next look. */
  async #look(): Promise<number> {
    const version = await versionOf(this.#paths);
    if (version === this.#version) return pollInterval;
    const texts = version === this.#seen ? await this.#readAll() : undefined;
    this.#seen = await versionOf(this.#paths);
    if (texts === undefined || this.#seen !== version) return settleTime;
    // Also of those that are not sound: they are not read again before they have changed.
    this.#version = version;
    if (texts.every((text, index) => text === this.#texts[index])) return pollInterval;
    const value = this.#parts.parse(texts);
    this.#texts = texts;
    if (!this.#isStopped) this.#parts.onChange(value);
    return pollInterval;
  }

  #readAll(): Promise<string[]> {
    return Promise.all(this.#paths.map((path) => read(path, this.#parts)));
  }

  /** What is wrong with a file stays wrong until somebody mends it. */
  #onFault(error: unknown): void {
    const fault = reasonOf(error);
    if (this.#isStopped || fault === this.#fault) return;
    this.#fault = fault;
    this.#parts.onFault(error);
  }
}

async function versionOf(paths: readonly string[]): Promise<string> {
  const versions = await Promise.all(paths.map((path) => naming(path, () => versionOfOne(path))));
  return versions.join(' ');
}

/** A pipe or a device would keep its reader waiting. */
async function versionOfOne(path: string): Promise<string> {
  const found: BigIntStats = await stat(path, { bigint: true });
  if (!found.isFile()) throw new Error('it is no file');
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** One byte more than may be there shows that there are too many. */
function read(path: string, { maxBytes, form }: TextRules): Promise<string> {
  return naming(path, async () => {
    await using file = await open(path);
    const bytes = await buffer(file.createReadStream({ end: maxBytes, autoClose: false }));
    if (bytes.length > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    return decode(bytes, form);
  });
}

function decode(bytes: Uint8Array, form: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new Error(`it is no text in UTF-8; expected ${form}`, { cause });
  }
}

/** Says which of the files it is that cannot be used. */
async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new FileFault(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** A file that cannot be read. The message names it. */
export class FileFault extends Error {
  override readonly name = 'FileFault';
  readonly code = 'TLB_ERR_FILE';
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
