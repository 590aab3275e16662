/**
 * The leg to a real server is as the balancer was told to have it, whatever the client's is: data connections in clear
 * beside private ones, as the client does, as the server can, and opened by the server.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { lacksClient, type FtpClientName } from '../helpers/ftp-client-specs.ts';
import { ftpServerNames } from '../helpers/ftp-daemon-specs.ts';
import { startFtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import { until } from '../helpers/processes.ts';
import {
  exchange,
  fill,
  levels,
  makeFront,
  startSecure,
  type SecureServer,
  type Wish,
} from '../helpers/secure-ftp.ts';

afterAll(cleanUp);

const { ca, flags: front } = makeFront();

const inClear: Omit<Wish, 'client'> = { verb: 'PASV' };
const secure: Omit<Wish, 'client'> = { verb: 'PASV', tls: { ca } };
const halfSecure: Omit<Wish, 'client'> = { verb: 'PASV', tls: { ca, isDataClear: true } };

/** What a client wishes, the levels that come of it, and which control connections are then under TLS. */
type Expected = readonly [Omit<Wish, 'client'>, string, 'neither' | 'client' | 'backend' | 'both'];

interface Leg {
  readonly title: string;
  /** It demands TLS; it knows TLS; it has never heard of TLS. */
  readonly server: 'strict' | 'lenient' | 'bare';
  readonly flags: readonly string[];
  readonly expected: readonly Expected[];
}

const legs: readonly Leg[] = [
  {
    title: 'in clear for data connections alone',
    server: 'lenient',
    flags: ['--backend-tls=required', '--backend-data-tls=clear'],
    expected: [
      [secure, 'PC', 'both'],
      [inClear, 'CC', 'backend'],
    ],
  },
  {
    title: 'as the client has it',
    server: 'lenient',
    flags: ['--backend-tls=match', '--backend-data-tls=match'],
    expected: [
      [inClear, 'CC', 'neither'],
      [secure, 'PP', 'both'],
      [halfSecure, 'CC', 'both'],
    ],
  },
  {
    title: 'under TLS if the server knows it, which it does',
    server: 'strict',
    flags: ['--backend-tls=auto'],
    expected: [[secure, 'PP', 'both']],
  },
  {
    title: 'under TLS if the server knows it, which it does not',
    server: 'bare',
    flags: ['--backend-tls=auto'],
    expected: [[secure, 'PC', 'client']],
  },
  {
    title: 'opened by the server',
    server: 'strict',
    flags: ['--backend-tls=required', '--backend-data=active'],
    expected: [[secure, 'PP', 'both']],
  },
];

/** Under TLS basic-ftp has no data connections in clear. */
const clients: readonly FtpClientName[] = ['lftp', 'ftplib'];

/** Which control connections the last of `count` sessions had under TLS. */
async function secured(balancer: Balancer, count: number): Promise<string> {
  const ends = await until(`${count} sessions have ended`, () => {
    const ended = balancer.lines().filter(({ event }) => event === 'ftp.session.end');
    return ended.length === count ? ended : undefined;
  });
  const last = ends.at(-1);
  const [isClient, isBackend] = [last?.['clientTls'] !== undefined, last?.['backendTls'] !== undefined];
  if (isClient) return isBackend ? 'both' : 'client';
  return isBackend ? 'backend' : 'neither';
}

for (const [turn, name] of ftpServerNames.entries()) {
  describe.skipIf(lacks(name))(name, () => {
    let servers: Readonly<Record<Leg['server'], SecureServer>>;
    let balancer: Balancer | undefined;

    beforeAll(async () => {
      const [strict, lenient, server] = await Promise.all([
        startSecure(name),
        startSecure(name, { isLenient: true }),
        startFtpServer(name),
      ]);
      fill(server);
      servers = { strict, lenient, bare: { server, trust: [] } };
    });

    afterEach(async ({ task }) => {
      if (task.result?.state === 'fail') console.error(balancer?.program.stdout.slice(-4_000));
      await balancer?.program.stop();
    });

    afterAll(async () => {
      await Promise.all(Object.values(servers).map(({ server }) => server.program.stop()));
    });

    for (const [at, { title, server: kind, flags, expected }] of legs.entries()) {
      const client = clients[(turn + at) % clients.length] ?? 'lftp';
      test.skipIf(lacksClient(client))(`${title}, by ${client}`, async () => {
        const { server, trust } = servers[kind];
        const all = [...front, '--ftp-tls=allowed', ...flags, ...trust];
        balancer = await startBalancer([server], { protocol: 'ftp', flags: all });
        for (const [done, [wish, level, control]] of expected.entries()) {
          await exchange(server, balancer.listener, { client, ...wish });
          expect(levels(balancer)).toBe(level);
          expect(await secured(balancer, done + 1)).toBe(control);
        }
        const mode = flags.includes('--backend-data=active') ? 'active' : 'passive';
        expect(balancer.saidTimes({ event: 'ftp.transfer', backendMode: mode })).toBe(5 * expected.length);
      });
    }
  });
}
