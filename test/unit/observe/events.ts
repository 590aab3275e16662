/** Events for the tests of those who watch; a test names the fields that it is about. */
import type {
  BackendState,
  FtpSessionEnd,
  FtpTransfer,
  SessionEnd,
  SessionReject,
} from '../../../src/observe/events.ts';

export function ended(fields: Partial<SessionEnd> = {}): SessionEnd {
  return {
    kind: 'session.end',
    service: 'tftp',
    client: '192.0.2.50:2070',
    vip: '192.0.2.1:69',
    backend: 'a',
    op: 'read',
    file: 'pxelinux.0',
    mode: 'octet',
    asked: { blksize: '1428' },
    granted: { blksize: '1428' },
    bytes: 26_579,
    blocks: 19,
    repeats: 0,
    tries: 1,
    duration: 12.34,
    result: 'ok',
    ...fields,
  };
}

export function sessionEnded(fields: Partial<FtpSessionEnd> = {}): FtpSessionEnd {
  return {
    kind: 'ftp.session.end',
    service: 'ftp',
    client: '192.0.2.50:2070',
    vip: '192.0.2.1:21',
    backend: 'a',
    user: 'joe',
    isLoggedIn: true,
    tries: 1,
    commands: 3,
    transfers: 0,
    duration: 12.34,
    end: 'quit',
    ...fields,
  };
}

export function transferred(fields: Partial<FtpTransfer> = {}): FtpTransfer {
  return {
    kind: 'ftp.transfer',
    service: 'ftp',
    client: '192.0.2.50:2070',
    vip: '192.0.2.1:21',
    backend: 'a',
    user: 'joe',
    command: 'RETR',
    path: 'menu.cfg',
    direction: 'download',
    type: 'I',
    clientMode: 'passive',
    clientLevel: 'C',
    backendLevel: 'C',
    bytes: 5120,
    duration: 12.34,
    result: 'ok',
    code: 226,
    ...fields,
  };
}

export function rejected(fields: Partial<SessionReject> = {}): SessionReject {
  return {
    kind: 'session.reject',
    service: 'tftp',
    client: '192.0.2.50:2070',
    vip: '192.0.2.1:69',
    reason: 'malformed',
    ...fields,
  };
}

export function stateChanged(to: BackendState['to'], backend = 'a'): BackendState {
  return {
    kind: 'backend.state',
    service: 'tftp',
    backend,
    address: '192.0.2.11',
    from: 'up',
    to,
    reason: 'refused',
  };
}
