import type { FtpTlsEvent, FtpTlsFailed, FtpTlsFault } from './ftp-tls-events.ts';
import type { Logger } from './log.ts';
import { printable } from './printable.ts';

/** Whether a line may be written that clients can cause at will. */
type Admits = (topic: `ftp tls ${FtpTlsFault}`) => boolean;

/** Writes the line of what TLS in FTP has to tell. */
export function writeFtpTls(event: FtpTlsEvent, log: Logger, admits: Admits): void {
  const { kind, ...fields } = event;
  switch (event.kind) {
    case 'ftp.tls':
      return log.trace({ event: kind, ...fields }, 'TLS begins');
    case 'ftp.tls-failed':
      if (admits(`ftp tls ${event.reason}`)) writeFault(event, log);
      return;
    case 'ftp.certificates.loaded': {
      const { service, expiresAt, doubts } = event;
      const expires = expiresAt !== undefined && { expires: new Date(expiresAt).toISOString() };
      const line = { event: kind, service, ...expires, ...(doubts && { doubts }) };
      return log[doubts ? 'warn' : 'info'](line, 'certificates are in force');
    }
    case 'ftp.certificates.failed':
      return log.error({ event: kind, ...fields }, 'certificates cannot be used, the last good ones stay');
  }
}

/** What clients get wrong is theirs, what backends get wrong the operator's. */
function writeFault({ kind, ...rest }: FtpTlsFailed, log: Logger): void {
  const fields = { event: kind, ...rest, error: printable(rest.error) };
  if (rest.leg === 'client') log.info(fields, 'TLS failed');
  else log.warn(fields, 'TLS failed');
}
