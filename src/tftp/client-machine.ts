/**
 * A client's end of a transfer, without I/O: it asks, and the first reply decides which machine moves the file.
 *
 *   asking -- DATA 1 (read), ACK 0 (write), OACK --> Receiver or Sender
 *      `----- no reply to the request and its repeats --> timeout
 */
import { Backoff, type RetryRule } from './backoff.ts';
import type { Counts, Machine, MachineState } from './machine.ts';
import { acceptGranted, type TftpOptions } from './negotiation.ts';
import { blockOf, encodeAck, Opcode, opcodeOf } from './packet.ts';
import { decodeOack } from './request.ts';

export interface ClientPlan {
  readonly operation: 'read' | 'write';
  /** RRQ or WRQ as it goes out. */
  readonly request: Uint8Array;
  readonly asked: TftpOptions;
  readonly retry: RetryRule;
  readonly send: (packet: Uint8Array) => void;
  /** Makes the machine for the options granted. `opening` is what it has to send first, if anything. */
  readonly begin: (granted: TftpOptions, opening: Uint8Array | undefined) => Machine;
}

export class ClientMachine implements Machine {
  readonly #plan: ClientPlan;
  readonly #backoff: Backoff;
  #data: Machine | undefined;
  #timedOut = false;
  #repeats = 0;
  #granted: TftpOptions = {};

  constructor(plan: ClientPlan) {
    this.#plan = plan;
    this.#backoff = new Backoff(plan.retry);
  }

  get state(): MachineState {
    if (this.#timedOut) return 'timeout';
    return this.#data?.state ?? 'running';
  }

  get deadline(): number | undefined {
    return this.#data === undefined ? this.#backoff.deadline : this.#data.deadline;
  }

  get counts(): Counts {
    const { bytes, blocks, repeats } = this.#data?.counts ?? { bytes: 0, blocks: 0, repeats: 0 };
    return { bytes, blocks, repeats: repeats + this.#repeats };
  }

  get granted(): TftpOptions {
    return this.#granted;
  }

  start(now: number): void {
    this.#plan.send(this.#plan.request);
    this.#backoff.start(now);
  }

  /** Whether a packet may be the first reply: only then does its sender become the server. */
  isReply(packet: Uint8Array): boolean {
    switch (opcodeOf(packet)) {
      case Opcode.oack:
      case Opcode.error:
        return true;
      case Opcode.data:
        return this.#plan.operation === 'read' && blockOf(packet) === 1;
      case Opcode.ack:
        return this.#plan.operation === 'write' && blockOf(packet) === 0;
      default:
        return false;
    }
  }

  onPacket(packet: Uint8Array, now: number): void {
    if (opcodeOf(packet) === Opcode.oack) {
      this.#onOack(packet, now);
    } else if (this.#data !== undefined) {
      this.#data.onPacket(packet, now);
    } else if (this.isReply(packet)) {
      const data = this.#begin(undefined, now);
      if (this.#plan.operation === 'read') data.onPacket(packet, now);
    }
  }

  onTimeout(now: number): void {
    if (this.#data !== undefined) {
      this.#data.onTimeout(now);
    } else if (this.#backoff.retry(now)) {
      this.#repeats += 1;
      this.#plan.send(this.#plan.request);
    } else {
      this.#timedOut = true;
    }
  }

  wake(now: number): void {
    this.#data?.wake(now);
  }

  #onOack(packet: Uint8Array, now: number): void {
    const opening = this.#plan.operation === 'read' ? encodeAck(0) : undefined;
    if (this.#data === undefined) {
      this.#granted = acceptGranted(this.#plan.asked, decodeOack(packet));
      this.#begin(opening, now);
      return;
    }
    this.#repeats += 1;
    // The ACK 0 was lost. A writer's answer was DATA 1, which its own timer repeats.
    if (opening !== undefined && this.#data.counts.blocks === 0) this.#plan.send(opening);
  }

  #begin(opening: Uint8Array | undefined, now: number): Machine {
    this.#data = this.#plan.begin(this.#granted, opening);
    this.#data.start(now);
    return this.#data;
  }
}
