/**
 * What the log of a balancer must say of every attempt of its clients.
 *
 *  1. Whoever was told that all is well has the right bytes, and the log says so.
 *  2. `ok` is said of files alone that have arrived: with the client that reads, on the server that is written to. Where
 *     a client had to ask more than once, the server may have begun the file anew when it was complete already: for
 *     in.tftpd each copy of a request is another one.
 *  3. Whoever failed finds the reason in the log, and it is one that fits.
 */
import { rejectReasons } from '../../src/observe/events.ts';
import { RemoteError, TransferError } from '../../src/tftp/errors.ts';
import { ErrorCode } from '../../src/tftp/packet.ts';
import type { Line } from '../helpers/balancer.ts';
import { type Attempt, contentOf } from './chaos-attempts.ts';
import type { ChaosServer } from './chaos-servers.ts';

const rejects: ReadonlySet<unknown> = new Set(rejectReasons);
const goodEnds: ReadonlySet<unknown> = new Set(['ok', 'ok-unacked']);
/** Ends of an FTP session that its client brings about. */
const clientsEnds: ReadonlySet<unknown> = new Set(['quit', 'client-closed', 'client-reset']);

export class Verdict {
  readonly #servers: ReadonlyMap<string, ChaosServer>;
  /** Of transfers, by file. */
  readonly #transfers: Readonly<Partial<Record<string, Line[]>>>;
  /** Of requests and connections that became no session, by client. */
  readonly #rejects: Readonly<Partial<Record<string, Line[]>>>;
  /** Of FTP sessions that have ended, by client. */
  readonly #sessions: Readonly<Partial<Record<string, Line[]>>>;
  /** How many requests were refused without a line. */
  #suppressed: number;

  constructor(lines: readonly Line[], servers: readonly ChaosServer[]) {
    const of = (...events: readonly string[]): Line[] =>
      lines.filter(({ event = '' }) => events.includes(event));
    this.#servers = new Map(servers.map((server) => [server.name, server]));
    this.#transfers = Object.groupBy(of('session.end', 'ftp.transfer'), ({ file, path }) =>
      String(file ?? path),
    );
    this.#rejects = Object.groupBy(of('session.reject'), ({ client }) => String(client));
    this.#sessions = Object.groupBy(of('ftp.session.end'), ({ client }) => String(client));
    const suppressed = of('log.suppressed').filter(({ topic }) => rejects.has(topic));
    this.#suppressed = suppressed.reduce((sum, { suppressed }) => sum + Number(suppressed), 0);
  }

  /** What is wrong, a line each; the attempts are all that there were. */
  faults(attempts: readonly Attempt[]): string[] {
    const known = new Set(attempts.map(({ file }) => file));
    const strange = Object.keys(this.#transfers).filter((file) => !known.has(file));
    return [...strange.map((file) => `${file}: nobody asked for it`), ...this.#faultsOfAttempts(attempts)];
  }

  #faultsOfAttempts(attempts: readonly Attempt[]): string[] {
    return attempts.flatMap((attempt) => {
      const lines = this.#transfers[attempt.file] ?? [];
      const faults = [
        this.#faultOf(attempt, lines),
        ...lines.map((line) => this.#falsehoodOf(attempt, line)),
      ];
      if (lines.some(({ client }) => client !== attempt.client)) faults.push('the log has another client');
      const found = faults.filter((fault) => fault !== undefined);
      return found.map((fault) => `${attempt.file}: ${fault}\n${describe(attempt, lines)}`);
    });
  }

  #faultOf(attempt: Attempt, lines: readonly Line[]): string | undefined {
    const { outcome } = attempt;
    if (outcome.kind === 'corrupt') return 'the client has another file';
    if (outcome.kind === 'done') {
      return lines.some(({ result }) => goodEnds.has(result)) ? undefined : 'the log knows no success';
    }
    const isExplained = this.#isExplained(attempt, outcome.error, lines);
    return isExplained ? undefined : 'the log does not explain the failure';
  }

  /** What is not true of a line that says that all is well. */
  #falsehoodOf({ op, file, size, outcome, requests }: Attempt, line: Line): string | undefined {
    if (!goodEnds.has(line['result'])) return undefined;
    if (line['bytes'] !== size) return 'the log has another size';
    if (op === 'read') return outcome.kind === 'done' ? undefined : 'the log calls a failure good';
    if (requests > 1) return undefined;
    const stored = this.#servers.get(String(line['backend']))?.read(file);
    return stored?.equals(contentOf(file, size)) === true
      ? undefined
      : 'the log calls an upload good that has not arrived';
  }

  #isExplained({ client }: Attempt, error: unknown, lines: readonly Line[]): boolean {
    if (lines.some((line) => fits(error, line)) || this.#rejects[client] !== undefined) return true;
    if (lines.length > 0) return false;
    // Without a transfer, an FTP session tells why there was none.
    const sessions = this.#sessions[client] ?? [];
    if (sessions.length > 0) return sessions.some(({ end }) => !clientsEnds.has(end));
    this.#suppressed -= 1;
    return this.#suppressed >= 0;
  }
}

/** Whether a transfer that ended like this explains what its client saw. */
function fits(error: unknown, { event, op, result, error: said }: Line): boolean {
  if (event === 'ftp.transfer') return result !== 'ok';
  if (error instanceof RemoteError) {
    // A session that is over knows its client no longer.
    if (error.remoteCode === ErrorCode.unknownTid && result === 'timeout') return true;
    const { code } = (said ?? {}) as { readonly code?: number };
    return code === error.remoteCode;
  }
  if (!(error instanceof TransferError)) return false;
  // The last acknowledgement may find a client that has lost its patience meanwhile.
  return result === 'timeout' || (op === 'write' && result === 'ok');
}

function describe({ op, client, size, outcome }: Attempt, lines: readonly Line[]): string {
  const error = outcome.kind === 'failed' ? String(outcome.error) : '';
  const told = lines.map((line) => `    ${JSON.stringify(line)}`);
  return [`  ${op} of ${size} bytes by ${client || 'a client'}: ${outcome.kind} ${error}`, ...told].join(
    '\n',
  );
}
