/** What main.ts says to load.ts and server.ts over their IPC channels, and what they answer. */

/** Everything happens on one address: no other host takes part. */
export const loopback = '127.0.0.1';

/** The payload of a DATA packet that fills an Ethernet frame, in bytes: what boot firmware asks for. */
export const blockSize = 1428;

/**
 * What the generator does to its target.
 *
 *   blocks     `sessions` downloads without an end, each with a socket of its own
 *   transfers  `sessions` downloads of one short block at any time, each from a port that rested for a while
 *   idle       `sessions` downloads that get their first block and then wait
 */
export type Load =
  | { readonly kind: 'blocks'; readonly sessions: number; readonly windowsize: number }
  | { readonly kind: 'transfers'; readonly sessions: number }
  | { readonly kind: 'idle'; readonly sessions: number };

/** Each message is answered once, and the next one waits for that. */
export type LoadOrder =
  | { readonly kind: 'start'; readonly port: number; readonly load: Load }
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
  /** When this was counted: seconds of the generator's monotonic clock. */
  readonly at: number;
}

/** What the server says once, when it can serve. */
export interface ServerPorts {
  /** Answers from another port, as TFTP servers do (RFC 1350 section 4). */
  readonly ordinary: number;
  /** Answers from this port: what a relay that cannot follow TIDs needs. */
  readonly singlePort: number;
}
