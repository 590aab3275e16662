/** What main.ts says to load.ts and server.ts over their IPC channels, and what they answer. */
import type { Endpoint } from '../src/net/net.ts';
import type { AddressRange } from './network/network.ts';

/** Where nothing has an address of its own. */
export const loopback = '127.0.0.1';

/** The payload of a DATA packet that fills an Ethernet frame, in bytes: what boot firmware asks for. */
export const blockSize = 1428;

/**
 * What the generator does to its targets.
 *
 *   blocks     `sessions` downloads without an end, each with a socket of its own
 *   transfers  `sessions` downloads of files of `blocks` at any time, each from a port that rested for a while
 *   idle       `sessions` downloads that get their first block and then wait
 */
export type Load =
  | { readonly kind: 'blocks'; readonly sessions: number; readonly windowsize: number }
  | { readonly kind: 'transfers'; readonly sessions: number; readonly blocks: number }
  | { readonly kind: 'idle'; readonly sessions: number };

/** Who has to do with each other. */
export interface LoadEnds {
  /** Where requests go: sessions take them in turn. */
  readonly targets: readonly Endpoint[];
  /** The clients' addresses, which sessions take in turn. */
  readonly sources: AddressRange;
}

/** Each message is answered once, and the next one waits for that. */
export type LoadOrder =
  | { readonly kind: 'start'; readonly ends: LoadEnds; readonly load: Load }
  | { readonly kind: 'count' }
  | { readonly kind: 'stop' };

/** Since the load was started. */
export interface LoadCount {
  /** Blocks of `blocks`, transfers of `transfers`, sessions that wait of `idle`. */
  readonly units: number;
  /** Datagrams that were sent again because nothing came back in time. */
  readonly repeats: number;
  /** Answers that were an ERROR. */
  readonly errors: number;
  /** How many of `transfers` took how long (wire/latencies.ts); empty for other loads. */
  readonly latencies: readonly number[];
  /** When this was counted: seconds of the generator's monotonic clock. */
  readonly at: number;
}

/** What a server is told when it is started. */
export interface ServerOrder {
  readonly addresses: readonly string[];
  /** 0 lets the kernel choose. */
  readonly port: number;
}

/** What a server says once, when it can serve: where, for each of its addresses. */
export type ServerPlaces = readonly {
  /** Answers from another port, as TFTP servers do (RFC 1350 section 4). */
  readonly ordinary: Endpoint;
  /** Answers from this port: what a relay that cannot follow TIDs needs. */
  readonly singlePort: Endpoint;
}[];
