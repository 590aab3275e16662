/**
 * Every real FTP client, through the balancer, to every real FTP server, with each kind of data connection: the contents
 * must be the same on both sides.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish, sha256 } from '../helpers/folders.ts';
import {
  ftpClientNames,
  lacksClient,
  verbsOf,
  type DataVerb,
  type FtpClientName,
} from '../helpers/ftp-client-specs.ts';
import { download, isMissing, localFile, takeSteps } from '../helpers/ftp-clients.ts';
import { ftpServerNames } from '../helpers/ftp-daemon-specs.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';

const small = noise(1_000, 'small');
const big = noise(5_000_000, 'big');
/** A listing of these does not fit in a segment, nor in a reply. */
const names = Array.from({ length: 300 }, (_, index) => `a-file-with-quite-a-long-name-${100 + index}`);
const vips = ['127.0.0.1', '::1'];

afterAll(cleanUp);

function furnish(root: string): void {
  publish(root, 'small', small);
  publish(root, 'big', big);
  const folder = path.join(root, 'many');
  mkdirSync(folder);
  for (const name of names) publish(folder, name, small);
}

/** The names of the files in a listing as `ls -l` writes it, sorted. */
function namesIn(listing: string): string[] {
  const files = listing.split('\n').filter((line) => line.startsWith('-'));
  return files.map((line) => line.trimEnd().split(' ').at(-1) ?? '').sort();
}

const hashOf = (file: string): string => sha256(readFileSync(file));

const hashes = [small, big, big].map(sha256);
/** What clients upload, and where they put what they download: each time anew, since it is gigabytes in all. */
const [smallFile, bigFile] = [localFile(small), localFile(big)];
const [gotSmall, gotBig, gotRest, listing] = [localFile(), localFile(), localFile(), localFile()];
const half = big.length / 2;
const uploads = ['new-small', 'new-big', 'new-half'] as const;

const places = [undefined, '::1'];
const routes = ftpServerNames.flatMap((name) => places.map((address) => ({ name, address })));

for (const { name, address } of routes) {
  describe.skipIf(lacks(name))(`${name} on ${address ?? 'IPv4'}`, () => {
    let server: FtpServer;
    let balancer: Balancer;

    beforeAll(async () => {
      server = await startFtpServer(name, address);
      furnish(server.root);
      balancer = await startBalancer([server], { protocol: 'ftp', vips });
    });

    afterEach(({ task }) => {
      if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
    });

    afterAll(async () => {
      await Promise.all([server, balancer].map(({ program }) => program.stop()));
    });

    /** Everything that a client does to files, in one session. */
    async function exchange(client: FtpClientName, vip: number, verb: DataVerb): Promise<void> {
      const listener = balancer.listeners[vip];
      if (listener === undefined) throw new Error('no listener');
      const { user, password } = server;
      const target = { ...listener, user, password, verb };
      const stored = uploads.map((file) => path.join(server.root, file));
      for (const file of [...stored, gotSmall, gotBig, listing]) rmSync(file, { force: true });
      publish(server.root, 'new-half', big.subarray(0, half));
      writeFileSync(gotRest, big.subarray(0, half));

      await takeSteps(client, target, [
        { kind: 'upload', local: smallFile, remote: 'new-small' },
        { kind: 'upload', local: bigFile, remote: 'new-big' },
        { kind: 'upload', local: bigFile, remote: 'new-half', from: half },
        { kind: 'download', remote: 'small', local: gotSmall },
        { kind: 'download', remote: 'big', local: gotBig },
        { kind: 'download', remote: 'big', local: gotRest, from: half },
        { kind: 'list', remote: 'many', local: listing },
      ]);

      expect(stored.map(hashOf)).toEqual(hashes);
      expect([gotSmall, gotBig, gotRest].map(hashOf)).toEqual(hashes);
      expect(namesIn(readFileSync(listing, 'utf8'))).toEqual(names);
      await expect(download(client, target, 'absent')).rejects.toSatisfy(isMissing);
    }

    for (const client of ftpClientNames) {
      describe.skipIf(lacksClient(client))(client, () => {
        for (const [index, vip] of vips.entries()) {
          test.for(verbsOf(client, vip))(`moves files over ${vip} with %s`, (verb) =>
            exchange(client, index, verb),
          );
        }
      });
    }
  });
}
