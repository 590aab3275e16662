import type { ServiceConfig } from '../config/config.ts';
import type { Event, FtpTransfer } from '../observe/events.ts';
import { Xferlog } from '../observe/xferlog.ts';
import type { Prepared } from './prepared.ts';

/** Listings are no files: the format has no place for them. */
const files: ReadonlySet<string> = new Set(['RETR', 'STOR', 'APPE', 'STOU']);

/** The xferlog files that cannot be written are named in one error, as the operator's other mistakes are. */
export class TransferLogError extends Error {
  override readonly name = 'TransferLogError';
  readonly code = 'TLB_ERR_XFERLOG';
}

/** The xferlogs of all services, fed by events. */
export class TransferLogs {
  readonly #byService = new Map<string, Log>();
  readonly #now: () => Date;
  readonly #onFault: (error: unknown) => void;

  /** `onFault` is told when a log can no longer be written. Throws TransferLogError. */
  constructor(services: readonly ServiceConfig[], now: () => Date, onFault: (error: unknown) => void) {
    this.#now = now;
    this.#onFault = onFault;
    for (const [service, path] of pathsOf(services)) this.#byService.set(service, open(path, onFault));
  }

  /** Opens the logs that services are about to have. Rejects with TransferLogError. */
  async prepare(services: readonly ServiceConfig[]): Promise<Prepared> {
    const opened = new Map<string, Log>();
    const cancel = (): void => {
      for (const { file } of opened.values()) file.close();
    };
    try {
      for (const [service, path] of pathsOf(services)) {
        if (this.#byService.get(service)?.path !== path) opened.set(service, open(path, this.#onFault));
      }
    } catch (error) {
      cancel();
      throw error;
    }
    const silent = services.filter((service) => service.kind === 'ftp' && service.xferlog === undefined);
    const adopt = (): void => {
      for (const service of [...opened.keys(), ...silent.map(({ name }) => name)]) this.forget(service);
      for (const [service, log] of opened) this.#byService.set(service, log);
    };
    return { adopt, cancel };
  }

  /** The service has no transfers any more that are to be logged. */
  forget(service: string): void {
    this.#byService.get(service)?.file.close();
    this.#byService.delete(service);
  }

  /** Bound, so that it can subscribe to a bus by itself. */
  readonly note = (event: Event): void => {
    if (event.kind !== 'ftp.transfer' || !isLogged(event)) return;
    this.#byService.get(event.service)?.file.write({ ...entryOf(event), at: this.#now() });
  };

  /** The files have been renamed: what follows goes into new ones. */
  reopen(): void {
    for (const { file } of this.#byService.values()) file.reopen();
  }

  close(): void {
    for (const { file } of this.#byService.values()) file.close();
  }
}

/** What the server has refused never was a transfer: ProFTPD leaves it out too, while vsftpd has a line of 0 bytes. */
function isLogged({ command, result }: FtpTransfer): boolean {
  return files.has(command) && result !== 'refused';
}

interface Log {
  readonly path: string;
  readonly file: Xferlog;
}

function pathsOf(services: readonly ServiceConfig[]): [service: string, path: string][] {
  return services.flatMap((service) =>
    service.kind === 'ftp' && service.xferlog !== undefined ? [[service.name, service.xferlog]] : [],
  );
}

function open(path: string, onFault: (error: unknown) => void): Log {
  try {
    return { path, file: new Xferlog(path, onFault) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TransferLogError(`cannot write the xferlog: ${reason}`, { cause });
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
