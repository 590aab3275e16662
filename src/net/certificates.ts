import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { NetError } from './net.ts';
import { toTlsError } from './node-tls-errors.ts';
import type { KeyPair } from './tls.ts';

/** A pair that was found to be one. */
export interface Certificate {
  readonly pair: KeyPair;
  readonly x509: X509Certificate;
}

/** Throws NetError with TLB_ERR_CERTIFICATE. */
export function readKeyPair(pair: KeyPair): Certificate {
  const x509 = attempt('the certificate cannot be read', () => new X509Certificate(pair.certificate));
  const key = attempt('the private key cannot be read', () => createPrivateKey(pair.key));
  if (x509.checkPrivateKey(key)) return { pair, x509 };
  const what = `the private key is not that of the certificate`;
  throw new NetError('TLB_ERR_CERTIFICATE', `${what} (${x509.subject.replaceAll('\n', ', ')})`);
}

const certificateBlock = /-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----/gs;

/** Certificates to trust, each by itself as PEM: Node passes over what it cannot read. Throws as above. */
export function readAuthorities(pem: string): string[] {
  const blocks = pem.match(certificateBlock) ?? [];
  if (blocks.length === 0) throw new NetError('TLB_ERR_CERTIFICATE', 'there is no certificate to trust');
  for (const block of blocks)
    attempt('a certificate to trust cannot be read', () => new X509Certificate(block));
  return blocks;
}

/** The first certificate that has the name, or else the first of all. */
export function chooseCertificate(
  certificates: readonly Certificate[],
  name: string,
): Certificate | undefined {
  return (
    certificates.find(({ x509 }) => name !== '' && x509.checkHost(name) !== undefined) ?? certificates[0]
  );
}

/** Throws NetError with TLB_ERR_CERTIFICATE. */
export function createContext(options: SecureContextOptions): SecureContext {
  return attempt('the certificates cannot be used', () => createSecureContext(options));
}

function attempt<T>(failure: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new NetError('TLB_ERR_CERTIFICATE', toTlsError(error, failure).message, { cause: error });
  }
}
