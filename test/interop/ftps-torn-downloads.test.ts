/**
 * Downloads whose server, under TLS, breaks them off: it dies, or it ends them by a FIN and says that this was all. The
 * client must not be told so.
 */
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { startBalancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish, temporaryFolder } from '../helpers/folders.ts';
import { sessionPids, type FtpServer } from '../helpers/ftp-daemons.ts';
import { FtpDialogue } from '../helpers/ftp-dialogue.ts';
import { Led } from '../helpers/ftps-led.ts';
import { lacks } from '../helpers/peers.ts';
import { makeFront, startSecure } from '../helpers/secure-ftp.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { TornServer, tears, type Tear } from '../helpers/torn-server.ts';

const front = makeFront();
const content = noise(300_000, 'download');
/** Bytes, of zeros that take no room: more than all buffers on the way can hold. */
const size = 1024 ** 3;
/** Random, and the same in every run of the tests. */
const dice = noise(24, 'kills');
const offsets = Array.from({ length: 6 }, (_, run) => dice.readUInt32LE(run * 4) % 13_000_000);

afterAll(cleanUp);

type ClientKind = 'TLSv1.2' | 'TLSv1.3' | 'clear';
const clients: readonly ClientKind[] = ['TLSv1.2', 'TLSv1.3', 'clear'];

interface Login extends Endpoint {
  readonly user: string;
  readonly password: string;
}

/** A download that has begun. */
interface Download {
  readonly data: Readable;
  /** The connection of `data`, which is the same in clear. */
  readonly raw: Socket;
  /** The code of the next reply; undefined if there is none any more. */
  readonly reply: () => Promise<string | undefined>;
  readonly close: () => void;
}

async function begin(kind: ClientKind, login: Login, file: string): Promise<Download> {
  if (kind === 'clear') {
    const client = await FtpDialogue.login(login);
    const data = await client.begin('EPSV', `RETR ${file}`);
    const reply = async (): Promise<string | undefined> => (await client.reply())?.slice(0, 3);
    return { data, raw: data, reply, close: () => client.close() };
  }
  const client = new Led(login, { ca: readFileSync(front.ca, 'utf8'), maxVersion: kind });
  await client.secure();
  await client.login(login);
  const { tls, wire } = await client.begin(`RETR ${file}`);
  const reply = (): Promise<string | undefined> => client.reply().catch(() => undefined);
  return { data: tls, raw: wire.raw, reply, close: () => client.close() };
}

/** What came, and by what it ended. */
interface Read {
  readonly got: number;
  readonly ends: readonly string[];
}

/** Reads until the connection is gone. `onData` is told how much came so far. */
async function read({ data, raw }: Download, onData: (got: number) => void = () => undefined): Promise<Read> {
  let got = 0;
  const ends: string[] = [];
  data.on('data', (chunk: Buffer) => {
    got += chunk.length;
    onData(got);
  });
  if (data !== raw) data.once('end', () => ends.push('close_notify'));
  raw.once('end', () => {
    ends.push('FIN');
    raw.end();
  });
  raw.once('error', () => ends.push('reset'));
  await new Promise((resolve) => raw.once('close', resolve));
  await nextTurn();
  return { got, ends };
}

/** `isPressed`: when the client has not read for a while, so that buffers on the way are full; how full, nobody can see. */
async function kill(server: FtpServer, data: Readable, isPressed: boolean): Promise<void> {
  if (isPressed) {
    data.pause();
    await sleep(50);
  }
  for (const pid of sessionPids(server)) process.kill(pid, 'SIGKILL');
  data.resume();
}

/** Those that serve each session with a process of its own. Of any other nobody would be left to be asked again. */
describe.each(['vsftpd', 'proftpd', 'pure-ftpd'] as const)('%s', (name) => {
  test.skipIf(lacks(name)).for(clients)(
    'is killed while it sends to a client of %s',
    { timeout: 60_000 },
    async (kind) => {
      const { server, trust } = await startSecure(name);
      publish(server.root, 'huge', new Uint8Array());
      truncateSync(path.join(server.root, 'huge'), size);
      const flags = [...front.flags, ...trust, '--ftp-tls=allowed', '--backend-tls=required'];
      const balancer = await startBalancer([server], { protocol: 'ftp', flags });
      for (const [run, offset] of offsets.entries()) {
        const download = await begin(kind, { ...server, ...balancer.listener }, 'huge');
        let killing: Promise<void> | undefined;
        const { got, ends } = await read(download, (got) => {
          if (got > offset) killing ??= kill(server, download.data, run % 2 === 1);
        });
        await killing;
        expect(got).toBeLessThan(size);
        expect(ends).toEqual(['reset']);
        expect([await download.reply(), await download.reply()]).toEqual(['426', '421']);
        download.close();
      }
      const results = await balancer.transfers(offsets.length);
      expect(results).toEqual(offsets.map(() => expect.stringMatching(/^backend-(?:lost|reset) 426$/)));
      await Promise.all([server, balancer].map(({ program }) => program.stop()));
    },
  );
});

/** What clients see of a download that is taken for whole. */
const wholeFor = (share: string): string[] => [
  ...clients.slice(0, 2).map(() => `226 behind ${share} and close_notify, FIN; logged ok 226`),
  `226 behind ${share} and FIN; logged ok 226`,
];

describe.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a server of %s that calls every download whole',
  (version) => {
    const address = ownLoopback();
    const pair = makeKeyPair({ names: `IP:${address}` });
    const ca = path.join(temporaryFolder('torn'), 'ca.pem');
    const server = new TornServer(pair, version, content);
    let backend: Endpoint;

    beforeAll(async () => {
      writeFileSync(ca, pair.certificate);
      backend = await server.listen(address);
    });

    afterAll(() => server.close());

    /** What each client sees of each download, in words. */
    async function downloadAll(eof: 'strict' | 'lenient'): Promise<Record<Tear, string[]>> {
      const tls = [
        '--ftp-tls=allowed',
        '--backend-tls=required',
        '--backend-tls-implicit',
        `--tls-eof=${eof}`,
      ];
      const flags = [...front.flags, ...tls, `--backend-tls-ca=${ca}`];
      const balancer = await startBalancer([backend], { protocol: 'ftp', flags });
      const seen: Record<Tear, string[]> = { close_notify: [], 'last-byte': [], middle: [], record: [] };
      let count = 0;
      for (const kind of clients) {
        for (const tear of tears) {
          const download = await begin(kind, { ...balancer.listener, user: 'joe', password: 'secret' }, tear);
          const { got, ends } = await read(download);
          const code = await download.reply();
          download.close();
          count += 1;
          const logged = (await balancer.transfers(count)).at(-1);
          const share = got === content.length ? 'all' : 'a part';
          seen[tear].push(`${code} behind ${share} and ${ends.join(', ')}; logged ${logged}`);
        }
      }
      await balancer.program.stop();
      return seen;
    }

    test('is believed where TLS says the same', async () => {
      const broken = clients.map(() =>
        expect.stringMatching(/^426 behind .* and reset; logged backend-reset 426$/),
      );
      expect(await downloadAll('strict')).toEqual({
        close_notify: wholeFor('all'),
        'last-byte': broken,
        middle: broken,
        record: broken,
      });
    });

    test('is believed where TLS need not say so', async () => {
      expect(await downloadAll('lenient')).toEqual({
        close_notify: wholeFor('all'),
        'last-byte': wholeFor('all'),
        middle: wholeFor('a part'),
        record: wholeFor('a part'),
      });
    });
  },
);
