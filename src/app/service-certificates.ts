/** The certificates of one service, as they are now. */
import { isDeepStrictEqual } from 'node:util';

import type { FtpTlsConfig, ServiceConfig } from '../config/config.ts';
import type { Clock } from '../net/net.ts';
import type { Emit } from '../observe/events.ts';
import { CertificateFiles, type Certificates } from './certificate-files.ts';

export interface ServiceCertificatesParts {
  readonly clock: Pick<Clock, 'setTimer'>;
  readonly now: () => Date;
  readonly emit: Emit;
  /** Others are in force. */
  readonly onChange: () => void;
}

export class ServiceCertificates {
  readonly #service: string;
  readonly #emit: Emit;
  readonly #files: CertificateFiles;
  #current: Certificates | undefined;

  /** Resolves when they are read; to undefined where the service has none. Rejects with CertificateFilesError. */
  static async open(
    config: ServiceConfig,
    parts: ServiceCertificatesParts,
  ): Promise<ServiceCertificates | undefined> {
    const tls = tlsOf(config);
    if (tls === undefined || !hasFiles(tls)) return undefined;
    const own = new ServiceCertificates(config.name, tls, parts);
    own.#current = await own.#files.start();
    return own;
  }

  private constructor(service: string, { client, backend }: FtpTlsConfig, parts: ServiceCertificatesParts) {
    const { clock, now, emit, onChange } = parts;
    this.#service = service;
    this.#emit = emit;
    const paths = { keyPairs: client.keyPairs, clientCa: client.ca, backendCa: backend.ca };
    this.#files = new CertificateFiles(paths, {
      clock,
      now,
      onChange: (certificates) => {
        this.#current = certificates;
        this.announce();
        onChange();
      },
      onFault: (error) => emit({ kind: 'ftp.certificates.failed', service, error }),
    });
  }

  get current(): Certificates | undefined {
    return this.#current;
  }

  /** They are in force. */
  announce(): void {
    const { expiresAt, doubts = [] } = this.#current ?? {};
    this.#emit({
      kind: 'ftp.certificates.loaded',
      service: this.#service,
      ...(expiresAt !== undefined && { expiresAt }),
      ...(doubts.length > 0 && { doubts }),
    });
  }

  stop(): void {
    this.#files.stop();
  }
}

/** Whether both have the same files. */
export function haveSameCertificates(one: ServiceConfig, other: ServiceConfig): boolean {
  return isDeepStrictEqual(pathsOf(one), pathsOf(other));
}

function pathsOf(config: ServiceConfig): unknown {
  const tls = tlsOf(config);
  return [tls?.client.keyPairs, tls?.client.ca, tls?.backend.ca];
}

function tlsOf(config: ServiceConfig): FtpTlsConfig | undefined {
  return config.kind === 'ftp' ? config.tls : undefined;
}

function hasFiles({ client, backend }: FtpTlsConfig): boolean {
  return client.keyPairs.length > 0 || client.ca !== undefined || backend.ca !== undefined;
}
