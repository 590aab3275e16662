/** How users come to the servers that are theirs. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { download } from '../helpers/ftp-transfers.ts';
import { until } from '../helpers/processes.ts';
import { runTftpLb } from './cli.ts';
import { connectTo, type RunningServer, startFtpBalancer, startFtpServer } from './ftp.ts';
import { pemFile, secureClient, secureLogin } from './ftps.ts';
import type { FlagTests } from './flags.ts';

const authority = makeKeyPair({ name: 'authority' });
const own = makeKeyPair();
const withCertificates = [
  '--ftp-tls=allowed',
  `--tls-cert=${pemFile('users.pem', `${own.certificate}${own.key}`)}`,
  `--tls-client-ca=${pemFile('users-ca.pem', authority.certificate)}`,
];
const byCertificate = [...withCertificates, '--ftp-user-map-key=subject'];

/** The certificate of a client, whose subject is `CN=name,O=Tests`. */
function certificateOf(name: string): ConnectionOptions {
  const { certificate: cert, key } = makeKeyPair({ name, issuer: authority });
  return { cert, key };
}

/** A user's session: what it heard at USER, and which of the servers have ever heard of the user. */
async function userAt(
  listener: Endpoint,
  servers: readonly RunningServer[],
  user: string,
): Promise<[string, number[]]> {
  const client = await connectTo(listener);
  expect(await client.line()).toBe('220 Service ready for new user.');
  const reply = await client.ask(`USER ${user}`);
  const isHeard = ({ server }: RunningServer): boolean =>
    server.sessions.some(({ heard }) => heard.includes(`USER ${user}`));
  return [reply, servers.flatMap((server, at) => (isHeard(server) ? [at] : []))];
}

export const userTests: FlagTests = {
  ftpUserMap: () => {
    test('leads each user to the server of the map, and follows the map', async () => {
      const mapped = [await startFtpServer(), await startFtpServer()];
      const file = mapFile(`# by name\njoe: b1\n'ann': "b0"\n`);
      const balancer = await startFtpBalancer(mapped, `--ftp-user-map=${file}`, '--workers=2');
      expect(await userAt(balancer.listener, mapped, 'joe')).toEqual(['331 password?', [1]]);
      expect(await userAt(balancer.listener, mapped, 'ann')).toEqual(['331 password?', [0]]);
      expect(await userAt(balancer.listener, mapped, 'eve')).toEqual(['530 Not logged in.', []]);
      await balancer.said({ event: 'ftp.refused', reason: 'unknown-user', user: 'eve' });

      writeFileSync(file, 'nobody');
      await balancer.said({ event: 'ftp.users.failed', error: 'line 1: expected user: backend' });
      expect(await userAt(balancer.listener, mapped, 'eve')).toEqual(['530 Not logged in.', []]);
      expect(await userAt(balancer.listener, mapped, 'joe')).toEqual(['331 password?', [1]]);

      writeFileSync(file, 'eve: b0');
      await balancer.said({ event: 'ftp.users.loaded', users: 1 });
      expect(await userAt(balancer.listener, mapped, 'eve')).toEqual(['331 password?', [0]]);
      expect(await userAt(balancer.listener, mapped, 'joe')).toEqual(['530 Not logged in.', [1]]);
      expect(await balancer.metric('tftplb_ftp_user_maps_total', { result: 'failed' })).toBe(1);
    });

    test('that cannot be used ends the balancer with the reason', async () => {
      const file = mapFile('joe');
      const flags = ['--vip=127.0.0.1', '--ftp-port=0', '--no-tftp', '--backend=127.0.0.9', '--no-admin'];
      const { stderr, code } = await runTftpLb([...flags, `--ftp-user-map=${file}`]);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`${file}: line 1: expected user: backend`)]);
    });
  },

  ftpUserMapKey: () => {
    const map = String.raw`CN=alice,O=Tests: b1
'CN=Jürgen\, the first: one,O=Tests': b0
joe: b0
`;

    test('subject leads certificates to the servers of the map, whatever USER says', async () => {
      const servers = [await startFtpServer(), await startFtpServer()];
      const balancer = await startFtpBalancer(servers, ...byCertificate, `--ftp-user-map=${mapFile(map)}`);
      for (const [name, expected] of [
        ['alice', 1],
        ['Jürgen, the first: one', 0],
      ] as const) {
        const { client } = await secureLogin(balancer.listener, certificateOf(name));
        await download(client, 'EPSV');
        expect(servers.map(({ server }) => server.sessions.length)).toEqual([1 - expected, 1]);
        await client.ask('QUIT');
      }
      await balancer.said({
        event: 'ftp.session.end',
        user: 'joe',
        backend: 'b1',
        subject: 'CN=alice,O=Tests',
      });
    });

    test('subject refuses whoever has no certificate, or one that the map does not have', async () => {
      const servers = [await startFtpServer(), await startFtpServer()];
      const balancer = await startFtpBalancer(servers, ...byCertificate, `--ftp-user-map=${mapFile(map)}`);
      const { listener } = balancer;
      const unknown = await secureClient(listener, certificateOf('eve'));
      expect(await unknown.client.ask('USER eve')).toMatch(/^530 /);
      await balancer.said({ event: 'ftp.refused', user: 'eve', subject: 'CN=eve,O=Tests' });
      const without = await secureClient(listener);
      const clear = await connectTo(listener);
      await clear.line();
      for (const client of [unknown.client, without.client, clear])
        for (const user of ['joe', 'CN=alice,O=Tests'])
          expect(await client.ask(`USER ${user}`)).toBe('530 Not logged in.');
      const refusal = { event: 'ftp.refused', reason: 'unknown-user' };
      await until('all refusals', () => (balancer.saidTimes(refusal) === 7 ? true : undefined));
      expect(servers.flatMap(({ server }) => server.sessions)).toEqual([]);
    });

    test('user is what counts if it is left out, also with a certificate', async () => {
      const servers = [await startFtpServer(), await startFtpServer()];
      for (const flags of [[], ['--ftp-user-map-key=user']]) {
        const { listener } = await startFtpBalancer(
          servers,
          ...withCertificates,
          `--ftp-user-map=${mapFile(map)}`,
          ...flags,
        );
        const { client } = await secureClient(listener, certificateOf('alice'));
        expect(await client.ask('USER joe')).toBe('331 password?');
        expect(servers.map(({ server }) => server.sessions.length > 0)).toEqual([true, false]);
      }
    });

    test.each([
      [withCertificates, 'needs --ftp-user-map'],
      [withCertificates.slice(0, 2).concat('--ftp-user-map=users'), 'needs --tls-client-ca'],
    ])('subject with nothing but %j ends the balancer with the reason', async (given, problem) => {
      const flags = ['--vip=127.0.0.1', '--ftp-port=0', '--no-tftp', '--backend=127.0.0.9', '--no-admin'];
      const { stderr, code } = await runTftpLb([...flags, ...given, '--ftp-user-map-key=subject']);
      expect([code, stderr]).toEqual([
        2,
        expect.stringContaining(`--ftp-user-map-key "subject": ${problem}`),
      ]);
    });
  },
};

function mapFile(text: string): string {
  const file = path.join(temporaryFolder('users'), 'users.yaml');
  writeFileSync(file, text);
  return file;
}
