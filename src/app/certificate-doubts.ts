/** What is odd about certificates that can be used: clients or other users may think otherwise of them. */
import { X509Certificate } from 'node:crypto';
import { statSync } from 'node:fs';

import type { KeyPairPaths } from '../config/config.ts';
import type { KeyPair } from '../net/tls.ts';

/** One sentence each, without a full stop, that names the file and says what to do. */
export function doubtsOf({ certificate, key }: KeyPairPaths, pair: KeyPair, now: Date): string[] {
  const x509 = new X509Certificate(pair.certificate);
  return [...ofValidity(certificate, x509, now), ...ofChain(certificate, x509, pair), ...ofKey(key)];
}

function ofValidity(path: string, { validFromDate, validToDate }: X509Certificate, now: Date): string[] {
  if (validToDate <= now) {
    return [`${path} has expired at ${validToDate.toISOString()}, and clients refuse it: renew it`];
  }
  if (validFromDate <= now) return [];
  const when = validFromDate.toISOString();
  return [`${path} is not valid before ${when}, and clients refuse it until then: look at the clock`];
}

/** Who says where the issuer's certificate is to be found is seldom one whom clients know: all public authorities do so. */
function ofChain(path: string, { infoAccess = '', issuer }: X509Certificate, pair: KeyPair): string[] {
  const isAlone = pair.certificate.split('-----BEGIN CERTIFICATE-----').length === 2;
  if (!isAlone || !infoAccess.includes('CA Issuers')) return [];
  const name = issuer.replaceAll('\n', ', ');
  return [
    `${path} has one certificate alone, and most clients do not know who has signed it (${name}): put the chain behind it (fullchain.pem)`,
  ];
}

/** Groups may be what lets the balancer read it. */
function ofKey(path: string): string[] {
  const { mode = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
  if ((mode & 0o004) === 0) return [];
  return [`every user of this machine can read the private key in ${path}: chmod o-r ${path}`];
}
