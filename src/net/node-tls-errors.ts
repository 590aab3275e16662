import { NetError, type NetErrorCode } from './net.ts';
import { errnoOf } from './node-errors.ts';

/** Codes of Node and OpenSSL that speak of a certificate: `CERT_HAS_EXPIRED`, `ERR_TLS_CERT_ALTNAME_INVALID`. */
const ofCertificates = /CERT|ISSUER|CRL|SIGNATURE|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|HOSTNAME_MISMATCH/;

/** What a TLS socket of Node says; `attempt` as in toNetError. */
export function toTlsError(error: unknown, attempt: string): NetError {
  if (error instanceof NetError) return error;
  const code = codeOf(error);
  return new NetError(code, `${attempt}: ${reasonOf(error)}`, { cause: error });
}

/** An alert tells what the peer thinks: that it does not like our certificate says nothing about its own. */
function codeOf(error: unknown): NetErrorCode {
  const isOpenSsl = error instanceof Error && 'library' in error;
  const isAboutTheirs = isOpenSsl
    ? /^(?!.*alert).*certificate/.test(reasonOf(error))
    : ofCertificates.test(errnoOf(error));
  return isAboutTheirs ? 'TLB_ERR_CERTIFICATE' : 'TLB_ERR_TLS';
}

/** Advice for those who start Node by themselves. */
const advice = /; if the root CA is installed locally.*$/;

/** OpenSSL's messages have numbers, names of its functions and folders of its source around the reason. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
  return text.replace(advice, '');
}
