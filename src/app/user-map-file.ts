/**
 * The user map of a service, read from its file, and again whenever that has changed.
 *
 *   looked at ──changed──▶ as it was at the last look? ──▶ read ──sound──▶ in force
 *       ▲                     │ no: somebody writes it       │ not sound, or gone
 *       └─────────────────────┘ ◀────────────────────────────┘ the last good one stays
 *
 * The file is looked at by the clock, because not every file system tells of changes, and of a replaced link none does.
 */
import { type BigIntStats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';

import { maxMapBytes, parseUserMap, type UserMap } from '../ftp/user-map.ts';
import type { Clock, Timer } from '../net/net.ts';

/** Milliseconds from one look at the file to the next. */
const pollInterval = 1_000;
/** Milliseconds for which a file must stay as it is before it is read. */
const settleTime = 100;

/** At the start there is no user map that could be used. */
export class UserMapFileError extends Error {
  override readonly name = 'UserMapFileError';
  readonly code = 'TLB_ERR_USER_MAP_FILE';
}

export interface UserMapFileParts {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Another map is in force, of so many users. Never told of the first one. */
  readonly onChange: (users: number) => void;
  /** The file has become one that cannot be used; told once for each way in which it cannot. */
  readonly onFault: (error: string) => void;
}

export class UserMapFile {
  readonly path: string;
  readonly #parts: UserMapFileParts;
  #text = '';
  /** Of the file as it was read last. */
  #version = '';
  /** Of the file as it was at the last look. */
  #seen = '';
  #fault: string | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(path: string, parts: UserMapFileParts) {
    this.path = path;
    this.#parts = parts;
  }

  /** The map in force: what parseUserMap takes. */
  get text(): string {
    return this.#text;
  }

  /** Reads the first map. Rejects with UserMapFileError. */
  async start(): Promise<void> {
    const { version, text } = await readFirst(this.path);
    this.#version = version;
    this.#seen = version;
    this.#text = text;
    this.#lookLater(pollInterval);
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
      this.#onFault(reasonOf(error));
    }
    this.#lookLater(delay);
  }

  /** Resolves to the milliseconds until the next look. */
  async #look(): Promise<number> {
    const version = await versionOf(this.path);
    if (version === this.#version) return pollInterval;
    const text = version === this.#seen ? await read(this.path) : undefined;
    this.#seen = await versionOf(this.path);
    if (text === undefined || this.#seen !== version) return settleTime;
    // Also of one that is not sound: it is not read again before it has changed.
    this.#version = version;
    const { size } = parseUserMap(text);
    if (text === this.#text || this.#isStopped) return pollInterval;
    this.#text = text;
    this.#parts.onChange(size);
    return pollInterval;
  }

  /** What is wrong with a file stays wrong until somebody mends it. */
  #onFault(fault: string): void {
    if (this.#isStopped || fault === this.#fault) return;
    this.#fault = fault;
    this.#parts.onFault(fault);
  }
}

/** A map that can be used. Rejects with UserMapFileError. */
export async function readUserMap(path: string): Promise<UserMap> {
  return (await readFirst(path)).users;
}

async function readFirst(path: string): Promise<{ version: string; text: string; users: UserMap }> {
  try {
    const version = await versionOf(path);
    const text = await read(path);
    return { version, text, users: parseUserMap(text) };
  } catch (cause) {
    throw new UserMapFileError(`cannot use the user map ${path}: ${reasonOf(cause)}`, { cause });
  }
}

/** A pipe or a device would keep its reader waiting. */
async function versionOf(path: string): Promise<string> {
  const found: BigIntStats = await stat(path, { bigint: true });
  if (!found.isFile()) throw new Error('it is no file');
  const { dev, ino, size, mtimeNs, ctimeNs } = found;
  return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
}

/** One byte more than may be there shows that there are too many. */
async function read(path: string): Promise<string> {
  await using file = await open(path);
  const bytes = await buffer(file.createReadStream({ end: maxMapBytes, autoClose: false }));
  if (bytes.length > maxMapBytes) throw new Error(`it has more than ${maxMapBytes} bytes`);
  return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
