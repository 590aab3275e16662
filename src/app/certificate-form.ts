/** What files with certificates and keys hold instead of PEM that can be used, and what to do about it. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

import { toTlsError } from '../net/node-tls-errors.ts';

/** What is wrong with the text of a file that should have a certificate; undefined if it has one. */
export function faultOfCertificate(text: string): string | undefined {
  if (!/-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/.test(text)) {
    return `there is no certificate in it; ${expectedPem}`;
  }
  return faultOf('the certificate cannot be read', () => new X509Certificate(text));
}

/** What is wrong with the text of a file that should have a private key; undefined if it has one that is not encrypted. */
export function faultOfKey(text: string): string | undefined {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(text)) {
    return 'the private key is encrypted, and nobody could type its passphrase at each start; openssl pkey -in FILE -out FILE writes it in clear';
  }
  if (!/-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----/.test(text)) {
    return `there is no private key in it; ${expectedPem}`;
  }
  return faultOf('the private key cannot be read', () => createPrivateKey(text));
}

function faultOf(failure: string, read: () => unknown): string | undefined {
  try {
    read();
    return undefined;
  } catch (error) {
    return toTlsError(error, failure).message;
  }
}

const expectedPem = 'expected PEM (-----BEGIN ...)';

/** What is said of files that are no text at all. */
export const pemForm =
  'PEM, which openssl x509 -inform DER -in FILE makes of a certificate in DER, and openssl pkey of a key';
