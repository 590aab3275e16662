/** What clients tried, and what became of it as they saw it. */
import { rmSync } from 'node:fs';
import path from 'node:path';
import type { Endpoint } from '../../src/net/net.ts';
import type { Noise } from '../fuzz/noise.ts';
import { noise as bytesFor, publish } from '../helpers/folders.ts';
import type { ChaosServer } from './chaos-servers.ts';

/** A file to transfer. */
export interface Task {
  readonly op: 'read' | 'write';
  /** A name that no other task has. */
  readonly file: string;
  readonly content: Uint8Array;
}

export type Outcome =
  | { readonly kind: 'done' }
  /** The client was told that all is well, and has something else than the file. */
  | { readonly kind: 'corrupt' }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Who tried, and how often a TFTP client asked. */
interface Asking {
  /** The client's `address:port`; empty where it never had one. */
  readonly client: string;
  readonly requests: number;
}

/** There are too many for their contents to be kept. */
export interface Attempt extends Asking {
  readonly service: string;
  readonly op: Task['op'];
  readonly file: string;
  /** Bytes. */
  readonly size: number;
  readonly outcome: Outcome;
}

export interface ChaosClient {
  /** A session with its transfers. Resolves with how the last of them ended. */
  attempt(): Promise<Outcome>;
}

interface LoadParts {
  readonly service: string;
  readonly listener: Endpoint;
  readonly servers: readonly ChaosServer[];
}

/** What the clients of one service have in common. */
export class Load {
  readonly listener: Endpoint;
  readonly attempts: Attempt[] = [];
  /** Bytes of a file. */
  sizes: readonly number[] = [0];
  readonly #parts: LoadParts;
  #tasks = 0;

  constructor(parts: LoadParts) {
    this.listener = parts.listener;
    this.#parts = parts;
  }

  /** Something to do. What is to be read is on every server. */
  task(noise: Noise): Task {
    const { service, servers } = this.#parts;
    const op = noise.chance(0.7) ? 'read' : 'write';
    const file = `${service}-${this.#tasks}`;
    this.#tasks += 1;
    const content = contentOf(file, noise.pick(this.sizes) ?? 0);
    if (op === 'read') for (const { root } of servers) publish(root, file, content);
    return { op, file, content };
  }

  /** The end of a task. What was read is no longer there. */
  record({ op, file, content }: Task, outcome: Outcome, asking: Asking): void {
    const { service, servers } = this.#parts;
    this.attempts.push({ service, op, file, size: content.length, ...asking, outcome });
    if (op === 'read') for (const { root } of servers) rmSync(path.join(root, file));
  }
}

/** Contents that no two files share, so that bytes of another transfer are noticed. */
export function contentOf(file: string, size: number): Uint8Array {
  return bytesFor(size, file);
}

export function received(expected: Uint8Array, found: Uint8Array): Outcome {
  return Buffer.compare(expected, found) === 0 ? { kind: 'done' } : { kind: 'corrupt' };
}

export function failed(error: unknown): Outcome {
  return { kind: 'failed', error };
}
