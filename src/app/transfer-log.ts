import type { Config } from '../config/config.ts';
import type { Event, FtpTransfer } from '../observe/events.ts';
import { Xferlog } from '../observe/xferlog.ts';

/** Listings are no files: the format has no place for them. */
const files: ReadonlySet<string> = new Set(['RETR', 'STOR', 'APPE', 'STOU']);

/** The xferlog files that cannot be written are named in one error, as the operator's other mistakes are. */
export class TransferLogError extends Error {
  override readonly name = 'TransferLogError';
  readonly code = 'TLB_ERR_XFERLOG';
}

/** The xferlogs of all services, fed by events. */
export class TransferLogs {
  readonly #byService = new Map<string, Xferlog>();
  readonly #now: () => Date;

  /** `onFault` is told when a log can no longer be written. Throws TransferLogError. */
  constructor(config: Config, now: () => Date, onFault: (error: unknown) => void) {
    this.#now = now;
    for (const service of config.services) {
      if (service.kind === 'ftp' && service.xferlog !== undefined) {
        this.#byService.set(service.name, open(service.xferlog, onFault));
      }
    }
  }

  /** Bound, so that it can subscribe to a bus by itself. */
  readonly note = (event: Event): void => {
    if (event.kind !== 'ftp.transfer' || !isLogged(event)) return;
    this.#byService.get(event.service)?.write({ ...entryOf(event), at: this.#now() });
  };

  /** The files have been renamed: what follows goes into new ones. */
  reopen(): void {
    for (const log of this.#byService.values()) log.reopen();
  }

  close(): void {
    for (const log of this.#byService.values()) log.close();
  }
}

/** What the server has refused never was a transfer: ProFTPD leaves it out too, while vsftpd has a line of 0 bytes. */
function isLogged({ command, result }: FtpTransfer): boolean {
  return files.has(command) && result !== 'refused';
}

function open(path: string, onFault: (error: unknown) => void): Xferlog {
  try {
    return new Xferlog(path, onFault);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TransferLogError(`cannot write --xferlog: ${reason}`, { cause });
  }
}

function entryOf({ duration, client, bytes, path, type, direction, user, result }: FtpTransfer) {
  return {
    duration,
    client: client.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
    bytes,
    file: path,
    isAscii: type === 'A',
    isUpload: direction === 'upload',
    user,
    isComplete: result === 'ok',
  };
}
