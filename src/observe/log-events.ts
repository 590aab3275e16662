/**
 * Which events become lines: one per transfer at its end, one per change of a backend's state or of a listener, none
 * per datagram. What clients can cause at will (requests that are refused) is throttled by its reason.
 */
import type { Clock } from '../net/net.ts';
import type { Bus } from './bus.ts';
import type {
  BackendState,
  Event,
  FtpDataRefusal,
  FtpEnd,
  FtpRefusal,
  FtpRefused,
  FtpSessionEnd,
  FtpTransfer,
  HealthCheck,
  HealthDoubted,
  ListenerDown,
  RejectReason,
  SessionEnd,
  SessionReject,
  TransferResult,
  WorkerUp,
} from './events.ts';
import type { FtpTlsFault } from './ftp-tls-events.ts';
import { writeFtpTls } from './log-ftp-tls.ts';
import type { Logger } from './log.ts';
import { printable, printableRecord } from './printable.ts';
import { Throttle } from './throttle.ts';

/** What went wrong for the client, as against what servers and boot programs do every day. */
const failures: ReadonlySet<TransferResult> = new Set(['error', 'timeout', 'no-backend']);

/** What an operator can do something about, as against what a client did. */
const shortages: ReadonlySet<RejectReason> = new Set([
  'rate-per-client',
  'rate-per-prefix',
  'max-sessions',
  'max-sessions-per-client',
  'no-backend',
  'no-resources',
]);

/** Sessions that never had a backend. */
const unserved: ReadonlySet<FtpEnd> = new Set(['no-backend', 'no-resources']);

/** What is throttled. */
type Topic =
  | RejectReason
  | 'health-doubted'
  | `ftp ${FtpRefusal}`
  | `ftp data ${FtpDataRefusal}`
  | `ftp tls ${FtpTlsFault}`;

/** Begins to log. Returns what ends it; what was left out until then is counted in the last lines. */
export function logEvents(bus: Bus, log: Logger, clock: Pick<Clock, 'setTimer'>): () => void {
  const throttle = new Throttle<Topic>(clock, (topic, suppressed) => {
    log.warn({ event: 'log.suppressed', topic, suppressed }, 'lines were left out');
  });
  const unsubscribe = bus.subscribe((event) => write(event, log, throttle));
  return () => {
    unsubscribe();
    throttle.close();
  };
}

function write(event: Event, log: Logger, throttle: Throttle<Topic>): void {
  switch (event.kind) {
    case 'session.start':
      return log.trace(fieldsOf(event), 'transfer begins');
    case 'session.end':
      return writeEnd(event, log);
    case 'session.reject':
      return writeReject(event, log, throttle);
    case 'ftp.session.start':
      return log.trace(fieldsOf(event), 'session begins');
    case 'ftp.session.end':
      return writeFtpEnd(event, log);
    case 'ftp.transfer':
      return writeFtpTransfer(event, log);
    case 'ftp.refused':
      if (!throttle.admits(`ftp ${event.reason}`)) return;
      return writeFtpRefused(event, log);
    case 'ftp.users.loaded':
      return log.info(fieldsOf(event), 'user map is in force');
    case 'ftp.users.failed':
      return log.error(fieldsOf(event), 'user map cannot be used, the last good one stays');
    case 'ftp.data-refused':
      if (!throttle.admits(`ftp data ${event.reason}`)) return;
      return log.warn(fieldsOf(event), 'data connection refused');
    case 'ftp.tls':
    case 'ftp.tls-failed':
    case 'ftp.certificates.loaded':
    case 'ftp.certificates.failed':
      return writeFtpTls(event, log, (topic) => throttle.admits(topic));
    case 'session.resume':
      return log.debug({ ...fieldsOf(event), file: printable(event.file) }, 'transfer goes on after its end');
    case 'session.failover':
      return log.debug(fieldsOf(event), 'another backend is asked');
    case 'backend.suspect':
      return log.debug(fieldsOf(event), 'backend is suspected');
    case 'health.doubted':
      return writeDoubt(event, log, throttle);
    case 'health.check':
      return writeCheck(event, log);
    case 'health.output':
      return log.debug({ ...fieldsOf(event), line: printable(event.line) }, 'health check said');
    case 'backend.state':
      return writeState(event, log);
    case 'backend.weight':
      return log.info({ ...fieldsOf(event), by: printable(event.by) }, 'backend has another weight');
    case 'listener.up':
      return log.info(fieldsOf(event), 'listening');
    case 'listener.down':
      return writeListenerDown(event, log);
    case 'worker.up':
      return writeWorkerUp(event, log);
    case 'worker.down':
      return log.error(fieldsOf(event), 'worker died, its sessions are lost');
    case 'discovery.failed':
      return log.warn(fieldsOf(event), 'backends cannot be looked up, the last known stay');
  }
}

function writeEnd(event: SessionEnd, log: Logger): void {
  const { error, ...rest } = fieldsOf(event);
  const fields = {
    ...rest,
    file: printable(event.file),
    ...(event.forwarded === undefined ? {} : { forwarded: printable(event.forwarded) }),
    mode: printable(event.mode),
    asked: printableRecord(event.asked),
    granted: printableRecord(event.granted),
    duration: milliseconds(event.duration),
    ...(error === undefined ? {} : { error: { ...error, message: printable(error.message) } }),
  };
  if (failures.has(event.result)) log.warn(fields, 'transfer failed');
  else log.info(fields, 'transfer ended');
}

function writeFtpEnd(event: FtpSessionEnd, log: Logger): void {
  const fields = {
    ...fieldsOf(event),
    user: printable(event.user),
    duration: milliseconds(event.duration),
    ...(event.subject !== undefined && { subject: printable(event.subject) }),
  };
  if (event.end === 'fault') log.error(fields, 'session ended by a fault');
  else if (unserved.has(event.end)) log.warn(fields, 'session was served by nobody');
  else log.info(fields, 'session ended');
}

function writeFtpRefused(event: FtpRefused, log: Logger): void {
  const user = event.user !== undefined && { user: printable(event.user) };
  const subject = event.subject !== undefined && { subject: printable(event.subject) };
  const fields = { ...fieldsOf(event), ...user, ...subject, command: printable(event.command) };
  log.info(fields, 'command refused');
}

function writeFtpTransfer(event: FtpTransfer, log: Logger): void {
  const fields = {
    ...fieldsOf(event),
    user: printable(event.user),
    path: printable(event.path),
    duration: milliseconds(event.duration),
  };
  // What a server refuses is its daily work; what broke is not.
  if (event.result === 'ok' || event.result === 'refused') log.info(fields, 'transfer ended');
  else log.warn(fields, 'transfer failed');
}

function writeReject(event: SessionReject, log: Logger, throttle: Throttle<Topic>): void {
  if (!throttle.admits(event.reason)) return;
  const file = event.file === undefined ? {} : { file: printable(event.file) };
  const fields = { ...fieldsOf(event), ...file };
  if (shortages.has(event.reason)) log.warn(fields, 'request refused');
  else log.info(fields, 'request refused');
}

function writeDoubt(event: HealthDoubted, log: Logger, throttle: Throttle<Topic>): void {
  if (!throttle.admits('health-doubted')) return;
  log.warn(fieldsOf(event), 'every backend is down by its health checks, one is tried all the same');
}

function writeCheck(event: HealthCheck, log: Logger): void {
  const fields = { ...fieldsOf(event), duration: milliseconds(event.duration) };
  if (event.outcome === 'alive') log.trace(fields, 'health check');
  else log.debug(fields, 'health check');
}

function writeState(event: BackendState, log: Logger): void {
  const by = event.by === undefined ? {} : { by: printable(event.by) };
  const fields = { ...fieldsOf(event), ...by };
  const isLoss = event.to === 'down' || event.to === 'ejected';
  if (isLoss) log.warn(fields, `backend ${event.to}`);
  else log.info(fields, `backend ${event.to}`);
}

function writeListenerDown(event: ListenerDown, log: Logger): void {
  if (event.error === undefined) log.info(fieldsOf(event), 'no longer listening');
  else log.warn(fieldsOf(event), 'no longer listening');
}

function writeWorkerUp(event: WorkerUp, log: Logger): void {
  if (event.restarts === 0) log.debug(fieldsOf(event), 'worker serves');
  else log.info(fieldsOf(event), 'worker serves again');
}

/** The event as fields of a line, its kind as `event`. */
function fieldsOf<E extends Event>({ kind, ...fields }: E): { event: string } & Omit<E, 'kind'> {
  return { event: kind, ...fields };
}

/** Tenths are as fine as a transfer can be told from another one. */
function milliseconds(duration: number): number {
  return Math.round(duration * 10) / 10;
}
