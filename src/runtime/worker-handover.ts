/** What a worker of the Linux engine does in a takeover, at either end of it. */
import type { TftpEngine } from '../engine/tftp-engine.ts';
import type { DescriptorLedger } from '../linux/descriptor-ledger.ts';
import type { Libc } from '../linux/libc.ts';
import type { EventLoop } from '../linux/net/event-loop.ts';
import { close } from '../linux/sockets.ts';
import type { HandoverAnswer, HandoverCommand } from './messages.ts';

export interface WorkerHandoverParts {
  readonly libc: Libc;
  readonly loop: EventLoop;
  /** Where the descriptors of its sockets are noted. */
  readonly ledger: DescriptorLedger;
  /** Whether it waits for a `thaw` before it serves anybody. */
  readonly isHeld: boolean;
  readonly engine: () => TftpEngine | undefined;
  readonly answer: (answer: HandoverAnswer) => void;
}

export class WorkerHandover {
  readonly #parts: WorkerHandoverParts;
  #isHeld: boolean;

  constructor(parts: WorkerHandoverParts) {
    this.#parts = parts;
    this.#isHeld = parts.isHeld;
    if (!parts.isHeld) parts.loop.start();
  }

  /** What cannot be done is answered, and the worker lives on. */
  obey(command: HandoverCommand): void {
    try {
      this.#parts.answer(this.#answerTo(command));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#parts.answer({ kind: 'immovable', reason });
    }
  }

  /** The engine is about to be stopped: sessions that are still another process's must not hear of it. */
  beforeStop(): void {
    if (this.#isHeld) this.#parts.engine()?.leave();
  }

  #answerTo(command: HandoverCommand): HandoverAnswer {
    const { loop, engine } = this.#parts;
    if (command.kind === 'freeze') {
      loop.stop();
      return { kind: 'frozen', services: engine()?.save() ?? [] };
    }
    if (command.kind === 'thaw') {
      this.#isHeld = false;
      loop.start();
      return { kind: 'thawed' };
    }
    engine()?.restore(command.services);
    this.#closeUnused(command.sockets);
    return { kind: 'restored' };
  }

  /** No session is left of those that such a socket was lent to. */
  #closeUnused(sockets: readonly number[]): void {
    const { libc, ledger } = this.#parts;
    for (const fd of sockets) {
      if (!ledger.has(fd)) close(libc, fd);
    }
  }
}
