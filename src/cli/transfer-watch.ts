import type { Net } from '../net/net.ts';
import type { TransferReport, TransferRequest } from '../tftp/client-transfer.ts';
import type { Trace } from '../tftp/trace.ts';
import type { CliContext } from './context.ts';
import { createTrace, Progress, summaryOf } from './transfer-report.ts';

/** What a user sees of one command: either every packet, or how far it is. */
export class Watch {
  readonly #now: () => number;
  readonly #start: number;
  readonly #progress: Progress;
  readonly #trace: Trace | undefined;

  constructor({ stderr }: CliContext, net: Net, isTraced: boolean) {
    this.#now = () => net.now();
    this.#start = net.now();
    this.#progress = new Progress(stderr, this.#now, !isTraced);
    this.#trace = isTraced ? createTrace(stderr, this.#now) : undefined;
  }

  /** For a request whose answer `onAnswered` waits for. */
  hooks(onAnswered: () => void): Pick<TransferRequest, 'onGranted' | 'trace'> {
    return {
      ...(this.#trace === undefined ? {} : { trace: this.#trace }),
      onGranted: ({ tsize }) => {
        if (tsize !== undefined) this.expect(tsize);
        onAnswered();
      },
    };
  }

  /** Bytes that the file has, once that is known. */
  expect(total: number | undefined): void {
    this.#progress.expect(total);
  }

  /** So many bytes of the file have been moved. */
  at(bytes: number): void {
    this.#progress.at(bytes);
  }

  end(): void {
    this.#progress.clear();
  }

  summaryOf(action: string, report: TransferReport): string {
    return summaryOf(action, report, this.#now() - this.#start);
  }
}
