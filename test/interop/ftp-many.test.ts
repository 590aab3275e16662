/** Every real FTP client with much to do, at two servers of each kind: many files in a row, and many sessions at once. */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer, type Line } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish, sha256 } from '../helpers/folders.ts';
import {
  ftpClientNames,
  lacksClient,
  verbsOf,
  type FtpClientName,
  type FtpStep,
  type FtpTarget,
} from '../helpers/ftp-client-specs.ts';
import { localFile, takeSteps } from '../helpers/ftp-clients.ts';
import { ftpServerNames } from '../helpers/ftp-daemon-specs.ts';
import { startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import { until } from '../helpers/processes.ts';

const fileCount = 100;
const sessionCount = 50;
/** Milliseconds; two cores share themselves among fifty clients. */
const patience = 100_000;
const vips = ['127.0.0.1', '::1'];

/** No two are alike, and the first one is empty. */
const contents = Array.from({ length: fileCount }, (_, at) => noise(at * 531, String(at)));
const hashes = contents.map(sha256);

afterAll(cleanUp);

/** Of the content `at`. */
function download(at: number): FtpStep {
  return { kind: 'download', remote: `file-${at}`, local: localFile() };
}

function upload(at: number, remote: string): FtpStep {
  return { kind: 'upload', remote, local: localFile(contents[at]) };
}

for (const [turn, name] of ftpServerNames.entries()) {
  describe.skipIf(lacks(name))(name, () => {
    let servers: FtpServer[];
    let balancer: Balancer;
    /** Lines of the log that belong to tests before. */
    let read = 0;

    beforeAll(async () => {
      servers = [await startFtpServer(name), await startFtpServer(name)];
      for (const { root } of servers) {
        for (const [at, content] of contents.entries()) publish(root, `file-${at}`, content);
      }
      const flags = ['--ftp-greeting-timeout=1m', '--ftp-login-timeout=2m'];
      balancer = await startBalancer(servers, { protocol: 'ftp', vips, flags });
    });

    afterEach(({ task }) => {
      if (task.result?.state === 'fail') console.error(balancer.program.stdout.slice(-4_000));
      read = balancer.lines().length;
    });

    afterAll(async () => {
      await Promise.all([...servers, balancer].map(({ program }) => program.stop()));
    });

    /** How the sessions of this test have ended, once `count` have. */
    function ended(count: number): Promise<Line[]> {
      return until(`${count} sessions have ended`, () => {
        const ends = balancer.lines().filter((line, at) => at >= read && line.event === 'ftp.session.end');
        return ends.length >= count ? ends : undefined;
      });
    }

    /** Of what has arrived: an upload at one of the servers. */
    function hashOf({ kind, remote, local }: FtpStep): string {
      const places = servers.map(({ root }) => path.join(root, remote));
      const arrived = kind === 'upload' ? places.filter((place) => existsSync(place)) : [local];
      return arrived.map((file) => sha256(readFileSync(file))).join();
    }

    /** Lets the servers go on when all sessions wait for their greeting. */
    async function release(): Promise<void> {
      try {
        await until(
          'all sessions are there',
          async () => (await balancer.metric('tftplb_sessions_active')) === sessionCount || undefined,
        );
      } finally {
        for (const { program } of servers) program.signal('SIGCONT');
      }
    }

    /** A client that reaches the balancer and its own way of opening data connections, by turns. */
    function targetOf(client: FtpClientName): FtpTarget {
      const ways = vips.flatMap((address, at) => verbsOf(client, address).map((verb) => ({ at, verb })));
      const { at, verb } = ways[turn % ways.length] ?? { at: 0, verb: 'PASV' };
      const [listener, [server]] = [balancer.listeners[at], servers];
      if (!listener || !server) throw new Error('nothing runs');
      const { user, password } = server;
      return { ...listener, user, password, verb, patience };
    }

    for (const client of ftpClientNames) {
      describe.skipIf(lacksClient(client))(client, () => {
        test(
          `moves ${fileCount} files in one session`,
          async () => {
            const moves = contents.map((_, at) =>
              at % 2 === 0 ? download(at) : upload(at, `${client}-${at}`),
            );
            await takeSteps(client, targetOf(client), moves);
            expect(moves.map(hashOf)).toEqual(hashes);
            expect(await ended(1)).toMatchObject([{ end: 'quit', transfers: fileCount }]);
          },
          patience,
        );

        test(
          `has ${sessionCount} sessions at the same time`,
          async () => {
            const target = targetOf(client);
            const moves = Array.from({ length: sessionCount }, (_, at) => [
              upload(2 * at, `${client}-at-once-${at}`),
              download(2 * at + 1),
            ]);
            for (const { program } of servers) program.signal('SIGSTOP');
            await Promise.all([release(), ...moves.map((steps) => takeSteps(client, target, steps))]);
            expect(moves.flat().map(hashOf)).toEqual(hashes);
            const ends = await ended(sessionCount);
            expect(ends).toMatchObject(moves.map(() => ({ end: 'quit', transfers: 2 })));
            const shares = servers.map((_, at) => ends.filter(({ backend }) => backend === `b${at}`).length);
            expect(shares).toEqual([sessionCount / 2, sessionCount / 2]);
          },
          patience,
        );
      });
    }
  });
}
