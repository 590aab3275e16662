import { renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { CertificateFiles, type Certificates } from '../../../src/app/certificate-files.ts';
import type { KeyPair } from '../../../src/net/tls.ts';
import { makeKeyPair } from '../../helpers/certificates.ts';
import { temporaryFolder } from '../../helpers/folders.ts';

const [first, second, authority] = [makeKeyPair(), makeKeyPair({ kind: 'rsa' }), makeKeyPair({ name: 'ca' })];

let folder: string;
let loaded: Certificates[];
let faults: string[];
/** The timer that is set, and who waits for the next one. */
let due: (() => void) | undefined;
let onSet: (() => void) | undefined;

const inFolder = (name: string): string => path.join(folder, name);

beforeEach(() => {
  folder = temporaryFolder('certificates');
  loaded = [];
  faults = [];
  due = undefined;
});

function write(name: string, { certificate, key }: KeyPair): void {
  writeFileSync(inFolder(`${name}.pem`), certificate);
  writeFileSync(inFolder(`${name}.key`), key);
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
    },
  );
  onTestFinished(() => files.stop());
  return files.start();
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
    ['is none', () => writeFileSync(inFolder('a.pem'), 'x'), /a\.pem: the certificate cannot be read/],
    [
      'has the key of another one',
      () => write('a', { ...first, key: second.key }),
      /a\.pem: the private key is not/,
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
    expect([loaded, faults]).toEqual([[], [expect.stringMatching(/a\.pem: the private key is not that of/)]]);
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
