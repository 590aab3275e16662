/** What a transfer has moved so far. */
export interface Counts {
  /** Payload on the wire, repeats not counted. */
  readonly bytes: number;
  /** DATA packets, repeats not counted. */
  readonly blocks: number;
  /** Packets that were sent or received a second time. */
  readonly repeats: number;
}

export type MachineState = 'running' | 'done' | 'timeout';

/**
 * One end of a transfer, without I/O: it is told of packets and of time, and sends through the function it was given.
 * A call may throw: TftpProtocolError for what the peer did, StoreError or anything else for its source or sink. The
 * transfer is over then.
 */
export interface Machine {
  readonly state: MachineState;
  /** When `onTimeout` wants to be called, in milliseconds; undefined while the machine waits for nobody. */
  readonly deadline: number | undefined;
  readonly counts: Counts;
  /** Called once, before everything else. */
  start(now: number): void;
  /** A packet of the peer, 4 bytes long at least and no ERROR. What does not fit is ignored. */
  onPacket(packet: Uint8Array, now: number): void;
  onTimeout(now: number): void;
  /** The source has more, or the sink takes more, after either had said that it had to wait. */
  wake(now: number): void;
}
