import { RemoteError, StoreError, TransferError } from './errors.ts';
import type { HostClock, HostTimer } from './host.ts';
import type { Machine } from './machine.ts';
import {
  blockOf,
  encodeError,
  ErrorCode,
  errorMessageOf,
  Opcode,
  TftpProtocolError,
  transferOpcodeOf,
} from './packet.ts';

export interface ExchangeOptions {
  readonly clock: HostClock;
  readonly machine: Machine;
  readonly send: (packet: Uint8Array) => void;
  /** Milliseconds for which a machine that is done goes on answering repeats. */
  readonly dally: number;
  /** Called once: without an error the transfer is complete. */
  readonly onEnd: (error: Error | undefined) => void;
  /** Called once, last, when nothing will be sent any more. */
  readonly onClosed: () => void;
}

type Stage = 'running' | 'dallying' | 'closed';

/** Runs a machine against a clock and a wire: its timer, its errors, the peer's ERROR, its end. */
export class Exchange {
  readonly #options: ExchangeOptions;
  #stage: Stage = 'running';
  #timer: HostTimer | undefined;
  #timerDue = 0;

  constructor(options: ExchangeOptions) {
    this.#options = options;
  }

  start(): void {
    this.#run((now) => this.#options.machine.start(now));
  }

  /** A packet of the pinned peer. */
  onPacket(packet: Uint8Array): void {
    const opcode = transferOpcodeOf(packet);
    if (opcode === 0) return;
    if (opcode !== Opcode.error) {
      this.#run((now) => this.#options.machine.onPacket(packet, now));
    } else if (this.#stage === 'running') {
      this.#end(new RemoteError(blockOf(packet), errorMessageOf(packet)));
    }
  }

  wake(): void {
    this.#run((now) => this.#options.machine.wake(now));
  }

  /** Ends a running transfer and tells the peer why; ends dallying without a word. */
  abort(error: Error): void {
    if (this.#stage === 'dallying') this.#close();
    else if (this.#stage === 'running') this.#fail(error);
  }

  /** Ends a running transfer without a word to the peer, which is not there or has moved on. */
  drop(error: Error): void {
    if (this.#stage === 'running') this.#end(error);
    else this.#close();
  }

  #run(step: (now: number) => void): void {
    if (this.#stage === 'closed') return;
    try {
      step(this.#options.clock.now());
    } catch (error) {
      this.abort(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#stage === 'running') this.#afterStep();
  }

  #afterStep(): void {
    const { machine } = this.#options;
    if (machine.state === 'done') this.#end(undefined);
    else if (machine.state === 'timeout')
      this.#fail(new TransferError('TLB_ERR_TFTP_TIMEOUT', 'no answer from the peer'));
    else this.#arm(machine.deadline);
  }

  /** A timer that fires too early is left alone, so that a deadline which moves with every packet costs nothing. */
  #arm(deadline: number | undefined): void {
    if (deadline === undefined || (this.#timer !== undefined && this.#timerDue <= deadline)) return;
    this.#timer?.cancel();
    this.#timerDue = deadline;
    const delay = Math.max(0, deadline - this.#options.clock.now());
    this.#timer = this.#options.clock.setTimer(delay, () => this.#onTimer());
  }

  #onTimer(): void {
    this.#timer = undefined;
    if (this.#stage === 'dallying') this.#close();
    this.#run((now) => {
      const { machine } = this.#options;
      if (machine.deadline !== undefined && machine.deadline <= now) machine.onTimeout(now);
    });
  }

  #fail(error: Error): void {
    this.#options.send(encodeError(answerOf(error), messageFor(error)));
    this.#end(error);
  }

  #end(error: Error | undefined): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const dallies = error === undefined && this.#options.dally > 0;
    this.#stage = dallies ? 'dallying' : 'closed';
    if (dallies) this.#arm(this.#options.clock.now() + this.#options.dally);
    this.#options.onEnd(error);
    if (!dallies) this.#options.onClosed();
  }

  #close(): void {
    if (this.#stage !== 'dallying') return;
    this.#stage = 'closed';
    this.#timer?.cancel();
    this.#options.onClosed();
  }
}

/** The ERROR code that tells the peer of `error`. */
function answerOf(error: Error): number {
  return error instanceof TftpProtocolError || error instanceof StoreError
    ? error.answer
    : ErrorCode.notDefined;
}

/** Other errors may name local paths: those are none of the peer's business. */
function messageFor(error: Error): string {
  const isMeant =
    error instanceof TftpProtocolError || error instanceof StoreError || error instanceof TransferError;
  return isMeant ? error.message.replaceAll('\0', '') : 'transfer failed';
}
