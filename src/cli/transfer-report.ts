/** What get and put tell their user while a transfer runs and once it is over. */
import { formatEndpoint } from '../net/net.ts';
import type { TransferReport } from '../tftp/client-transfer.ts';
import { optionPairs } from '../tftp/negotiation.ts';
import { describePacket, type Trace } from '../tftp/trace.ts';
import type { CliContext } from './context.ts';

/** Prints each packet with the seconds since the first one. */
export function createTrace(stderr: NodeJS.WritableStream, now: () => number): Trace {
  let first: number | undefined;
  return (direction, packet, peer) => {
    first ??= now();
    const seconds = ((now() - first) / 1000).toFixed(6);
    const verb = direction === 'sent' ? 'sent to' : 'received from';
    stderr.write(
      `${seconds.padStart(10)} ${verb.padEnd(13)} ${formatEndpoint(peer.address, peer.port)} ${describePacket(packet)}\n`,
    );
  };
}

/** `action` says what was done with what: `read "FILE" from`. */
export function summaryOf(action: string, report: TransferReport, milliseconds: number): string {
  const seconds = milliseconds / 1000;
  const rate = seconds > 0 ? ` (${amount(report.bytes / seconds)}/s)` : '';
  const peer = formatEndpoint(report.peer.address, report.peer.port);
  const granted = Object.entries(optionPairs(report.granted)).map(([name, value]) => ` ${name}=${value}`);
  return [
    `${action} ${peer}: ${report.bytes} bytes in ${seconds.toFixed(3)} s${rate}`,
    `${report.blocks} blocks`,
    `${report.repeats} repeats`,
    granted.length === 0 ? 'no options granted' : `granted${granted.join('')}`,
  ].join(', ');
}

const barWidth = 30;
const redrawInterval = 100;

/** A bar on one line of a terminal; nothing anywhere else. */
export class Progress {
  readonly #stderr: CliContext['stderr'];
  readonly #now: () => number;
  readonly #start: number;
  readonly #isShown: boolean;
  #drawn: number | undefined;
  #total: number | undefined;

  /** `isWanted` says whether nothing else is written there meanwhile. */
  constructor(stderr: CliContext['stderr'], now: () => number, isWanted: boolean) {
    this.#stderr = stderr;
    this.#now = now;
    this.#start = now();
    this.#isShown = isWanted && stderr.isTTY === true;
  }

  /** Bytes in all, once that is known. */
  expect(total: number | undefined): void {
    this.#total = total;
  }

  at(bytes: number): void {
    const now = this.#now();
    if (!this.#isShown || now - (this.#drawn ?? this.#start) < redrawInterval) return;
    this.#drawn = now;
    const rate = `${amount(bytes / ((now - this.#start) / 1000))}/s`;
    this.#stderr.write(`\r${[...this.#bar(bytes), amount(bytes), rate].join('  ')}\u001B[K`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#drawn !== undefined) this.#stderr.write('\r\u001B[K');
    this.#drawn = undefined;
  }

  #bar(bytes: number): string[] {
    if (this.#total === undefined || this.#total === 0) return [];
    const part = Math.min(1, bytes / this.#total);
    const filled = Math.floor(part * barWidth);
    return [`[${'#'.repeat(filled).padEnd(barWidth)}]`, `${Math.floor(part * 100)} %`];
  }
}

/** Bytes in the largest unit that leaves a number above one. */
function amount(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB'];
  let value = bytes;
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${value.toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`;
}
