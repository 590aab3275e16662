/** The certificates of a service, read from their files. */
import { X509Certificate } from 'node:crypto';
import { readAuthorities, readKeyPair } from '../net/certificates.ts';
import { NetError } from '../net/net.ts';
import type { KeyPair } from '../net/tls.ts';
import { FileFault, WatchedFiles, type WatchedFilesParts } from './watched-files.ts';

/** Bytes: chains of certificates are a few KiB, collections of authorities some hundred. */
const maxBytes = 1_048_576;

/** Both may be in the same file. */
export interface KeyPairPaths {
  readonly certificate: string;
  readonly key: string;
}

export interface CertificatePaths {
  /** In the order in which they are looked through for a name. */
  readonly keyPairs: readonly KeyPairPaths[];
  /** Who signs the certificates of clients. */
  readonly clientCa: string | undefined;
}

/** All of it as PEM, and found to be sound. */
export interface Certificates {
  readonly keyPairs: readonly KeyPair[];
  readonly clientCa: string | undefined;
  /** When the first of them expires, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** There are no certificates that could be used. */
export class CertificateFilesError extends Error {
  override readonly name = 'CertificateFilesError';
  readonly code = 'TLB_ERR_CERTIFICATE_FILES';
}

/** `start` rejects with CertificateFilesError. */
export class CertificateFiles {
  readonly #files: WatchedFiles<Certificates>;

  constructor(
    paths: CertificatePaths,
    parts: Pick<WatchedFilesParts<Certificates>, 'clock' | 'onChange' | 'onFault'>,
  ) {
    const { keyPairs, clientCa } = paths;
    const all = keyPairs.flatMap(({ certificate, key }) => [certificate, key]);
    const parse = (texts: readonly string[]): Certificates => parseCertificates(paths, texts);
    this.#files = new WatchedFiles(clientCa === undefined ? all : [...all, clientCa], {
      ...parts,
      maxBytes,
      parse,
    });
  }

  async start(): Promise<Certificates> {
    try {
      return await this.#files.start();
    } catch (cause) {
      if (!(cause instanceof FileFault || cause instanceof NetError)) throw cause;
      throw new CertificateFilesError(`cannot use the certificates: ${cause.message}`, { cause });
    }
  }

  stop(): void {
    this.#files.stop();
  }
}

/** Throws NetError that names the file. */
function parseCertificates(paths: CertificatePaths, texts: readonly string[]): Certificates {
  const keyPairs = paths.keyPairs.map(({ certificate: path }, index): KeyPair => {
    const pair = { certificate: texts[2 * index] ?? '', key: texts[2 * index + 1] ?? '' };
    return inFile(path, () => readKeyPair(pair).pair);
  });
  const { clientCa: path } = paths;
  const clientCa = path === undefined ? undefined : texts[2 * keyPairs.length];
  if (path !== undefined) inFile(path, () => readAuthorities(clientCa ?? ''));
  const ends = keyPairs.map(({ certificate }) => new X509Certificate(certificate).validToDate.getTime());
  return { keyPairs, clientCa, expiresAt: Math.min(...ends) };
}

function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    throw new NetError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}
