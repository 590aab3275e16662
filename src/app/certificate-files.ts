/** The certificates of a service, read from their files. */
import { X509Certificate } from 'node:crypto';
import { createContext, readAuthorities, readKeyPair } from '../net/certificates.ts';
import { NetError } from '../net/net.ts';
import type { KeyPair } from '../net/tls.ts';
import type { KeyPairPaths } from '../config/config.ts';
import { FileFault, reasonOf, WatchedFiles, type WatchedFilesParts } from './watched-files.ts';

/** Bytes: chains of certificates are a few KiB, collections of authorities some hundred. */
const maxBytes = 1_048_576;

export interface CertificatePaths {
  /** In the order in which they are looked through for a name. */
  readonly keyPairs: readonly KeyPairPaths[];
  /** Who signs the certificates of clients. */
  readonly clientCa: string | undefined;
  /** Who signs those of backends. */
  readonly backendCa: string | undefined;
}

/** All of it as PEM, and found to be sound. */
export interface Certificates {
  readonly keyPairs: readonly KeyPair[];
  readonly clientCa: string | undefined;
  readonly backendCa: string | undefined;
  /** When the first of the pairs expires, in milliseconds since 1970; undefined where there is none. */
  readonly expiresAt: number | undefined;
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
    parts: Pick<WatchedFilesParts<Certificates>, 'clock' | 'onChange'> & {
      readonly onFault: (error: string) => void;
    },
  ) {
    const { keyPairs, clientCa, backendCa } = paths;
    const pairs = keyPairs.flatMap(({ certificate, key }) => [certificate, key]);
    const all = [...pairs, clientCa, backendCa].filter((path) => path !== undefined);
    const parse = (texts: readonly string[]): Certificates => parseCertificates(paths, texts);
    this.#files = new WatchedFiles(all, {
      ...parts,
      maxBytes,
      parse,
      onFault: (error) => parts.onFault(reasonOf(error)),
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
    return inFile(path, () => {
      readKeyPair(pair);
      // OpenSSL refuses keys that are too short.
      createContext({ cert: pair.certificate, key: pair.key });
      return pair;
    });
  });
  const authorities = texts.slice(2 * keyPairs.length);
  const [clientCa, backendCa] = [paths.clientCa, paths.backendCa].map((path) => {
    if (path === undefined) return undefined;
    const text = authorities.shift() ?? '';
    inFile(path, () => readAuthorities(text));
    return text;
  });
  const ends = keyPairs.map(({ certificate }) => new X509Certificate(certificate).validToDate.getTime());
  return { keyPairs, clientCa, backendCa, expiresAt: ends.length === 0 ? undefined : Math.min(...ends) };
}

function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    throw new NetError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}
