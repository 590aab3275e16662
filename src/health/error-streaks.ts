/**
 * Counts, per backend, the sessions and transfers in a row that the backend has failed. What a client can bring about
 * as it likes is no failure of the backend, and what nobody can tell from it changes nothing:
 *
 *             TFTP                       FTP
 *   failure   ERROR 3 (disk full)        no data connection, 451 or 452 behind a 1xx, a session that is reset, not
 *                                        answered, or against the protocol
 *   success   a transfer, ERROR 1 or 2   a transfer
 *
 * ERROR 0 tells nothing: there are servers that say it of every file that they do not have.
 */
import type { Event, FtpEnd, FtpTransfer, SessionEnd, TransferResult } from '../observe/events.ts';
import { ErrorCode } from '../tftp/packet.ts';

type Verdict = 'success' | 'failure' | undefined;

/** The server could not have done better. */
const goodResults: readonly TransferResult[] = ['ok', 'ok-unacked', 'not-found', 'denied'];
/** Local error in processing, insufficient storage (RFC 959 section 4.2.1). */
const failingReplies: readonly (number | undefined)[] = [451, 452];
const failingEnds: readonly FtpEnd[] = ['backend-reset', 'backend-protocol', 'reply-timeout'];

export class ErrorStreaks {
  #limit: number;
  /** By the backend's name. */
  readonly #failures = new Map<string, number>();

  /** `limit` failures in a row are too many; 0 for no limit. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** From the next failure on. */
  configure(limit: number): void {
    this.#limit = limit;
  }

  /** Takes the events of one service. Returns the backend that has failed once too often, and counts it anew. */
  note(event: Event): string | undefined {
    if (this.#limit === 0 || !isEnd(event)) return undefined;
    const verdict = verdictOn(event);
    if (verdict === undefined) return undefined;
    const failures = verdict === 'failure' ? (this.#failures.get(event.backend) ?? 0) + 1 : 0;
    if (failures > 0 && failures < this.#limit) this.#failures.set(event.backend, failures);
    else this.#failures.delete(event.backend);
    return failures >= this.#limit ? event.backend : undefined;
  }

  /** Forgets all others. */
  keep(names: ReadonlySet<string>): void {
    for (const name of this.#failures.keys()) if (!names.has(name)) this.#failures.delete(name);
  }
}

type End = Extract<Event, { readonly kind: 'session.end' | 'ftp.session.end' | 'ftp.transfer' }>;

function isEnd(event: Event): event is End {
  return event.kind === 'session.end' || event.kind === 'ftp.session.end' || event.kind === 'ftp.transfer';
}

function verdictOn(event: End): Verdict {
  if (event.kind === 'session.end') return ofTftp(event);
  if (event.kind === 'ftp.transfer') return ofTransfer(event);
  return failingEnds.includes(event.end) ? 'failure' : undefined;
}

function ofTftp({ result, error }: SessionEnd): Verdict {
  if (goodResults.includes(result)) return 'success';
  const isFull = error?.from === 'backend' && error.code === ErrorCode.diskFull;
  return result === 'error' && isFull ? 'failure' : undefined;
}

function ofTransfer({ result, code }: FtpTransfer): Verdict {
  if (result === 'ok') return 'success';
  if (result === 'no-backend-data') return 'failure';
  return result === 'backend-error' && failingReplies.includes(code) ? 'failure' : undefined;
}
