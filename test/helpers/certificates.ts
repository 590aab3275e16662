/** Certificates that are made when a test asks for them, by the openssl command. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { KeyPair } from '../../src/net/tls.ts';

export interface CertificateWish {
  /** Common name; `localhost` if left out. */
  readonly name?: string;
  /** As in `DNS:localhost,IP:127.0.0.1`, which is what is left out. */
  readonly names?: string;
  readonly kind?: 'ec' | 'rsa';
  /** Signs itself where nobody else does. */
  readonly issuer?: KeyPair;
  /** That it lasts from now on; 30 if left out. */
  readonly days?: number;
  /** Where the issuer's own certificate is, as openssl takes authorityInfoAccess. */
  readonly infoAccess?: string;
  /** Ended a day ago. */
  readonly isExpired?: boolean;
}

const keyOptions = {
  ec: ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
  rsa: ['-newkey', 'rsa:2048'],
} as const;

/** Throws if the openssl command is not on the path. */
export function makeKeyPair(wish: CertificateWish = {}): KeyPair {
  const {
    name = 'localhost',
    names = 'DNS:localhost,IP:127.0.0.1,IP:::1',
    kind = 'ec',
    days = 30,
    issuer,
  } = wish;
  const folder = mkdtempSync(path.join(tmpdir(), 'tftp-lb-certificate-'));
  const openssl = (...args: string[]): void => {
    execFileSync('openssl', args, { cwd: folder, stdio: 'pipe', timeout: 60_000 });
  };
  try {
    const access = wish.infoAccess === undefined ? [] : ['-addext', `authorityInfoAccess=${wish.infoAccess}`];
    const extensions = ['-addext', `subjectAltName=${names}`, ...access];
    if (issuer) {
      writeFileSync(path.join(folder, 'ca.pem'), issuer.certificate);
      writeFileSync(path.join(folder, 'ca.key'), issuer.key);
    }
    const signing = issuer ? ['-CA', 'ca.pem', '-CAkey', 'ca.key'] : [];
    const subject = ['-utf8', '-subj', `/O=Tests/CN=${name}`, ...extensions];
    const output = ['-nodes', '-keyout', 'key.pem', '-out', 'certificate.pem'];
    openssl('req', '-x509', ...keyOptions[kind], ...output, ...subject, ...signing, '-days', String(days));
    if (wish.isExpired === true) {
      openssl('req', '-new', '-key', 'key.pem', '-out', 'request.pem', ...subject);
      const signer = issuer ? [...signing, '-set_serial', '1'] : ['-signkey', 'key.pem'];
      const end = ['-days', '-1', '-copy_extensions', 'copy', '-out', 'certificate.pem'];
      openssl('x509', '-req', '-in', 'request.pem', ...signer, ...end);
    }
    const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');
    return { certificate: read('certificate.pem'), key: read('key.pem') };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
