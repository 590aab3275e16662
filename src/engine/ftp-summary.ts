import type { SessionRecord, TransferRecord } from '../ftp/effects.ts';
import type { FtpSessionEnd, FtpTransfer } from '../observe/events.ts';

/** Whose session an event is about. */
export type Whose = Pick<FtpTransfer, 'service' | 'client' | 'vip' | 'backend'>;

export function transferEvent(whose: Whose, record: TransferRecord): FtpTransfer {
  const { verb, path, user, direction, type, clientMode, backendMode, bytes, result, code } = record;
  const { clientLevel, backendLevel } = record;
  return {
    kind: 'ftp.transfer',
    ...whose,
    user,
    command: verb,
    path,
    direction,
    type,
    clientMode,
    ...(backendMode !== undefined && { backendMode }),
    clientLevel,
    backendLevel,
    bytes,
    duration: record.endedAt - record.startedAt,
    result,
    ...(code !== undefined && { code }),
  };
}

export function sessionEvent(whose: Whose, record: SessionRecord): FtpSessionEnd {
  const { end, user, isLoggedIn, tries, commands, transfers, startedAt, endedAt } = record;
  const duration = endedAt - startedAt;
  return { kind: 'ftp.session.end', ...whose, user, isLoggedIn, tries, commands, transfers, duration, end };
}

/** Of a session whose bytes were carried unread. */
export function unreadEvent(
  whose: Whose,
  about: Pick<FtpSessionEnd, 'end' | 'tries' | 'duration'>,
): FtpSessionEnd {
  const unread = { user: '', isLoggedIn: false, commands: 0, transfers: 0 };
  return { kind: 'ftp.session.end', ...whose, ...unread, ...about };
}

/** What is left to say of a session whose machine has failed. */
export function faultEvent(whose: Whose, duration: number, error: unknown): FtpSessionEnd {
  return {
    ...unreadEvent(whose, { end: 'fault', tries: 0, duration }),
    error: error instanceof Error ? error.message : String(error),
  };
}
