/** The certificates of a service, read from their files. */
import { X509Certificate } from 'node:crypto';
import { createContext, readAuthorities, readKeyPair } from '../net/certificates.ts';
import { NetError } from '../net/net.ts';
import type { KeyPair } from '../net/tls.ts';
import type { KeyPairPaths } from '../config/config.ts';
import { doubtsOf } from './certificate-doubts.ts';
import { faultOfCertificate, faultOfKey, pemForm } from './certificate-form.ts';
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
  /** What is odd about the pairs, one sentence each. */
  readonly doubts: readonly string[];
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
      readonly now: () => Date;
    },
  ) {
    const { keyPairs, clientCa, backendCa } = paths;
    const pairs = keyPairs.flatMap(({ certificate, key }) => [certificate, key]);
    const all = [...pairs, clientCa, backendCa].filter((path) => path !== undefined);
    const parse = (texts: readonly string[]): Certificates => parseCertificates(paths, texts, parts.now());
    this.#files = new WatchedFiles(all, {
      ...parts,
      maxBytes,
      form: pemForm,
      parse,
      onFault: (error) => parts.onFault(reasonOf(error)),
    });
  }

  start(): Promise<Certificates> {
    return orFault(this.#files.start());
  }

  /** What the files mean now; nobody looks at them from then on. Rejects with CertificateFilesError. */
  read(): Promise<Certificates> {
    return orFault(this.#files.read());
  }

  stop(): void {
    this.#files.stop();
  }
}

async function orFault(reading: Promise<Certificates>): Promise<Certificates> {
  try {
    return await reading;
  } catch (cause) {
    if (!(cause instanceof FileFault || cause instanceof NetError)) throw cause;
    throw new CertificateFilesError(`cannot use the certificates: ${cause.message}`, { cause });
  }
}

/** Throws NetError that names the file. */
function parseCertificates(paths: CertificatePaths, texts: readonly string[], now: Date): Certificates {
  const doubts: string[] = [];
  const keyPairs = paths.keyPairs.map((named, index): KeyPair => {
    const pair = { certificate: texts[2 * index] ?? '', key: texts[2 * index + 1] ?? '' };
    checkPair(named, pair);
    doubts.push(...doubtsOf(named, pair, now));
    return pair;
  });
  const authorities = texts.slice(2 * keyPairs.length);
  const [clientCa, backendCa] = [paths.clientCa, paths.backendCa].map((path) => {
    if (path === undefined) return undefined;
    const text = authorities.shift() ?? '';
    inFile(path, () => readAuthorities(text));
    return text;
  });
  const ends = keyPairs.map(({ certificate }) => new X509Certificate(certificate).validToDate.getTime());
  const expiresAt = ends.length === 0 ? undefined : Math.min(...ends);
  return { keyPairs, clientCa, backendCa, expiresAt, doubts };
}

function checkPair({ certificate, key }: KeyPairPaths, pair: KeyPair): void {
  refuse(certificate, faultOfCertificate(pair.certificate));
  refuse(key, faultOfKey(pair.key));
  inFile(certificate === key ? key : `${certificate} and ${key}`, () => {
    readKeyPair(pair);
    // OpenSSL refuses keys that are too short.
    createContext({ cert: pair.certificate, key: pair.key });
  });
}

function refuse(path: string, fault: string | undefined): void {
  if (fault !== undefined) throw new NetError('TLB_ERR_CERTIFICATE', `${path}: ${fault}`);
}

function inFile<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    throw new NetError(error.code, `${path}: ${error.message}`, { cause: error });
  }
}
