import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CertificateFiles, type Certificates } from '../../../src/app/certificate-files.ts';
import type { KeyPair } from '../../../src/net/tls.ts';
import { makeKeyPair } from '../../helpers/certificates.ts';
import { temporaryFolder } from '../../helpers/folders.ts';

const [first, second, authority] = [makeKeyPair(), makeKeyPair({ kind: 'rsa' }), makeKeyPair({ name: 'ca' })];

let now: Date;
let folder: string;
let loaded: Certificates[];
let faults: string[];
/** The timer that is set, and who waits for the next one. */
let due: (() => void) | undefined;
let onSet: (() => void) | undefined;

const inFolder = (name: string): string => path.join(folder, name);

beforeEach(() => {
  now = new Date();
  folder = temporaryFolder('certificates');
  loaded = [];
  faults = [];
  due = undefined;
});

function write(name: string, { certificate, key }: KeyPair): void {
  writeFileSync(inFolder(`${name}.pem`), certificate);
  writeFileSync(inFolder(`${name}.key`), key, { mode: 0o600 });
}

/** Starts with the pairs of these names and, if it is there, the file of an authority. */
function start(names: readonly string[], clientCa?: string): Promise<Certificates> {
  const keyPairs = names.map((name) => ({
    certificate: inFolder(`${name}.pem`),
    key: inFolder(`${name}.key`),
  }));
  const files = new CertificateFiles(
    { keyPairs, clientCa, backendCa: undefined },
    {
      clock: {
        setTimer: (_, callback) => {
          due = callback;
          onSet?.();
          return { cancel: () => (due = undefined) };
        },
      },
      onChange: (certificates) => loaded.push(certificates),
      onFault: (fault) => faults.push(fault),
      now: () => now,
    },
  );
  onTestFinished(() => files.stop());
  return files.start();
}

function encrypted(type: 'pkcs8' | 'sec1'): string {
  const options = { type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  return createPrivateKey(first.key).export(options).toString();
}

/** Lets it look at the files so often. */
async function look(times = 2): Promise<void> {
  for (let n = 0; n < times; n++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    onSet = resolve;
    due?.();
    await promise;
  }
}

describe('at the start', () => {
  it('all pairs are read, and the authority of clients', async () => {
    write('a', first);
    write('b', second);
    writeFileSync(inFolder('ca.pem'), authority.certificate);
    const { keyPairs, clientCa, expiresAt } = await start(['a', 'b'], inFolder('ca.pem'));
    expect([keyPairs, clientCa]).toEqual([[first, second], authority.certificate]);
    const days = ((expiresAt ?? 0) - Date.now()) / 86_400_000;
    expect(Math.ceil(days)).toBe(30);
    expect([loaded, faults]).toEqual([[], []]);
  });

  it('a pair may be in one file', async () => {
    writeFileSync(inFolder('a.pem'), `${first.certificate}${first.key}`);
    symlinkSync('a.pem', inFolder('a.key'));
    const { keyPairs } = await start(['a']);
    expect(keyPairs.length).toBe(1);
  });

  const faulty: readonly (readonly [string, () => void, RegExp])[] = [
    ['is not there', () => rmSync(inFolder('a.key')), /a\.key: ENOENT/],
    [
      'is none',
      () => writeFileSync(inFolder('a.pem'), 'x'),
      /a\.pem: there is no certificate in it; expected PEM/,
    ],
    [
      'has the key of another one',
      () => write('a', { ...first, key: second.key }),
      /a\.pem and .*a\.key: the private key is not/,
    ],
    [
      'has half a certificate',
      () => writeFileSync(inFolder('a.pem'), first.certificate.slice(0, 300)),
      /certificates: [^ ]*a\.pem: the certificate cannot be read: bad end line/,
    ],
    [
      'has half a key',
      () => writeFileSync(inFolder('a.key'), first.key.slice(0, 60)),
      /certificates: [^ ]*a\.key: the private key cannot be read: /,
    ],
    [
      'is a certificate instead of its key',
      () => writeFileSync(inFolder('a.key'), first.certificate),
      /a\.key: there is no private key in it; expected PEM/,
    ],
    [
      'has a key of PKCS 8 that is encrypted',
      () => writeFileSync(inFolder('a.key'), encrypted('pkcs8')),
      /a\.key: the private key is encrypted.*openssl pkey/,
    ],
    [
      'has an older kind of key that is encrypted',
      () => writeFileSync(inFolder('a.key'), encrypted('sec1')),
      /a\.key: the private key is encrypted.*openssl pkey/,
    ],
    [
      'has DER',
      () => writeFileSync(inFolder('a.pem'), new X509Certificate(first.certificate).raw),
      /a\.pem: it is no text in UTF-8; expected PEM, which openssl/,
    ],
    [
      'is too long',
      () => truncateSync(inFolder('a.pem'), 1_048_577),
      /a\.pem: it has more than 1048576 bytes/,
    ],
    [
      'is of no authority',
      () => writeFileSync(inFolder('ca.pem'), ''),
      /ca\.pem: there is no certificate to trust/,
    ],
  ];
  it.each(faulty)('a file that %s is named', async (_name, spoil, message) => {
    write('a', first);
    writeFileSync(inFolder('ca.pem'), authority.certificate);
    spoil();
    await expect(start(['a'], inFolder('ca.pem'))).rejects.toMatchObject({
      code: 'TLB_ERR_CERTIFICATE_FILES',
      message: expect.stringMatching(message),
    });
    expect(due).toBeUndefined();
  });
});

describe('what is odd', () => {
  it('is nothing about a sound pair', async () => {
    write('a', first);
    expect((await start(['a'])).doubts).toEqual([]);
  });

  it('is a certificate that has expired', async () => {
    write('a', first);
    now = new Date(Date.now() + 31 * 86_400_000);
    const { doubts } = await start(['a']);
    expect(doubts).toEqual([expect.stringMatching(/a\.pem has expired at 20.*Z, .*: renew it$/)]);
  });

  it('is one that is not valid yet', async () => {
    write('a', first);
    now = new Date(Date.now() - 86_400_000);
    const { doubts } = await start(['a']);
    expect(doubts).toEqual([expect.stringMatching(/a\.pem is not valid before 20.*: look at the clock$/)]);
  });

  it('is a key that everybody can read', async () => {
    write('a', first);
    chmodSync(inFolder('a.key'), 0o644);
    const { doubts } = await start(['a']);
    expect(doubts).toEqual([expect.stringMatching(/every user .* private key in .*a\.key: chmod o-r/)]);
  });

  it('is a certificate whose issuer tells where its own is, without that', async () => {
    const leaf = makeKeyPair({ issuer: authority, infoAccess: 'caIssuers;URI:http://ca.example/ca.cer' });
    write('a', leaf);
    write('b', { ...leaf, certificate: leaf.certificate + authority.certificate });
    const { doubts } = await start(['a', 'b']);
    expect(doubts).toEqual([
      expect.stringMatching(/a\.pem has one certificate alone, .*CN=ca\): put the chain/),
    ]);
  });
});

describe('later', () => {
  it('new ones are told once both files are there and stay as they are', async () => {
    write('a', first);
    await start(['a']);
    write('a', second);
    await look(1);
    expect(loaded).toEqual([]);
    await look();
    expect(loaded.map(({ keyPairs }) => keyPairs)).toEqual([[second]]);
    await look();
    expect([loaded.length, faults]).toEqual([1, []]);
  });

  it('a certificate without its key is a fault, told once, and the last good pair stays until both are there', async () => {
    write('a', first);
    await start(['a']);
    writeFileSync(inFolder('a.pem'), second.certificate);
    await look(4);
    expect([loaded, faults]).toEqual([[], [expect.stringMatching(/a\.key: the private key is not that of/)]]);
    writeFileSync(inFolder('a.key'), second.key);
    await look();
    expect(loaded.map(({ keyPairs }) => keyPairs)).toEqual([[second]]);
  });

  it('files that are gone are a fault, and those that come back as they were are no change', async () => {
    write('a', first);
    await start(['a']);
    renameSync(inFolder('a.pem'), inFolder('b.pem'));
    await look();
    expect(faults).toEqual([expect.stringMatching(/cannot read .*a\.pem: ENOENT/)]);
    renameSync(inFolder('b.pem'), inFolder('a.pem'));
    await look();
    expect(loaded).toEqual([]);
  });
});
