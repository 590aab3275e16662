/**
 * What two processes say to each other in a takeover. `giver` served until now, `taker` will.
 *
 *   giver                                        taker
 *   hello, with the listening sockets   ─────▶
 *                                       ◀─────   prepared: its threads have them, and read nothing yet
 *   its own threads read nothing any more; datagrams wait in the sockets
 *   sessions, with their sockets        ─────▶
 *                                       ◀─────   ready: its threads have them
 *   go, with the operator's orders      ─────▶
 *                                       ◀─────   serving
 *   released: the admin endpoints are free  ─▶
 *
 * Until `go` the giver thaws and goes on if anything fails, and behind it still if the taker is gone before `serving`.
 */
import type { SavedService } from '../engine/saved-relay.ts';
import type { HandoverChannel } from '../linux/net/handover-channel.ts';
import type { Endpoint } from '../net/net.ts';
import type { Service } from '../engine/snapshot.ts';
import { TakeoverError } from './takeover-error.ts';

/** Another one for every change of what is said here, or of what is saved of a session. */
export const protocolVersion = 1;

/** The sessions of one worker, with the descriptors that they name. */
export interface SavedWorker {
  readonly worker: number;
  readonly services: readonly SavedService[];
}

/** What the operator has said of the backends of a service. */
export interface ServiceOrders {
  readonly service: string;
  readonly orders: readonly {
    readonly backend: string;
    readonly mode: 'enabled' | 'draining' | 'disabled';
    /** As discovery has it if left out. */
    readonly weight?: number | undefined;
  }[];
}

export interface Hello {
  readonly kind: 'hello';
  readonly protocol: number;
  /** Of the program. */
  readonly version: string;
  /** Threads for each protocol. */
  readonly count: number;
  /** How many of the descriptors are whose. */
  readonly groups: readonly (Endpoint & { readonly kind: Service['kind']; readonly sockets: number })[];
}

/** `sockets` are the numbers that the descriptors have where the sessions were saved. */
export type Sessions = SavedWorker & {
  readonly kind: 'sessions';
  readonly sockets: readonly number[];
  readonly isLast: boolean;
};

export type Message =
  | Hello
  | Sessions
  | { readonly kind: 'go'; readonly orders: readonly ServiceOrders[] }
  | { readonly kind: 'prepared' | 'ready' | 'serving' | 'released' }
  | { readonly kind: 'refused'; readonly reason: string };

export interface Received<Wanted> {
  readonly message: Wanted;
  readonly descriptors: readonly number[];
}

/** Milliseconds for what the other side does at once. */
const patience = 10_000;

export class Talk {
  readonly #channel: HandoverChannel;

  constructor(channel: HandoverChannel) {
    this.#channel = channel;
  }

  /** Rejects with HandoverError. */
  async say(message: Message, descriptors: readonly number[] = []): Promise<void> {
    await this.#channel.send(message, descriptors, patience);
  }

  /** The next message, which has to be of this kind. Rejects with TakeoverError or HandoverError. */
  async hear<Kind extends Message['kind']>(
    kind: Kind,
    time: number = patience,
  ): Promise<Received<Extract<Message, { kind: Kind }>>> {
    const { value, descriptors } = await this.#channel.receive(time);
    if (!isMessage(value)) throw new TakeoverError('the other process says what nobody here understands');
    const message = value;
    if (message.kind === 'refused') throw new TakeoverError(message.reason);
    if (!isOf(message, kind)) throw new TakeoverError(`the other process says ${message.kind}, not ${kind}`);
    return { message, descriptors };
  }

  close(): void {
    this.#channel.close();
  }
}

const kinds = ['hello', 'sessions', 'prepared', 'ready', 'go', 'serving', 'released', 'refused'];

/** What else is in it, both of one protocol version agree about. */
function isMessage(value: unknown): value is Message {
  const isObject = typeof value === 'object' && value !== null && 'kind' in value;
  return isObject && typeof value.kind === 'string' && kinds.includes(value.kind);
}

function isOf<Kind extends Message['kind']>(
  message: Message,
  kind: Kind,
): message is Extract<Message, { kind: Kind }> {
  return message.kind === kind;
}
