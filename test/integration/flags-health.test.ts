/** How the balancer finds out which servers live: servers by script, whose checks are counted in the log. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { encodeError, ErrorCode } from '../../src/tftp/packet.ts';
import { decodeRequest } from '../../src/tftp/request.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { fetchFile, nobody, startEmbedded } from '../helpers/embedded.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import type { Handler } from '../helpers/ftp-server.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { UdpPeer } from '../helpers/udp-peer.ts';
import { runTftpLb } from './cli.ts';
import { describeLives } from './flags-lives.ts';
import { describeFlags } from './flags.ts';
import { startFtpBalancer, startFtpServer } from './ftp.ts';

const quick = ['--health-interval=100ms', '--health-timeout=100ms'];
const notFound = encodeError(ErrorCode.fileNotFound, 'no such file');

afterAll(stopAll);

/** Makes the server answer every check from now on. */
function revive(server: UdpPeer): void {
  server.onDatagram = ({ from }) => server.send(notFound, from);
}

/** The outcomes of the checks that the log tells of, up to the first line about `backend.state` `to`. */
function outcomesUntil(balancer: Balancer, to: string): unknown[] {
  const lines = balancer.lines();
  const end = lines.findIndex((line) => line.event === 'backend.state' && line['to'] === to);
  return lines.slice(0, end).flatMap((line) => (line.event === 'health.check' ? [line['outcome']] : []));
}

/** A server that is silent, and answers as soon as it is down: the outcomes until it was down, and until it was up. */
async function downAndUp(...flags: readonly string[]): Promise<{ down: unknown[]; up: unknown[] }> {
  const server = await UdpPeer.open();
  const balancer = await startBalancer([server], { flags: [...quick, '--log-level=trace', ...flags] });
  await balancer.said({ event: 'backend.state', to: 'down', from: 'up', reason: 'timeout' });
  revive(server);
  await balancer.said({ event: 'backend.state', to: 'up', from: 'down', reason: 'alive' });
  return { down: outcomesUntil(balancer, 'down'), up: outcomesUntil(balancer, 'up') };
}

/** How long a dialogue takes is not what is tried here. */
const often = ['--health-interval=100ms', '--health-timeout=10s'];

/** Waits until so many checks were good. */
async function checked(balancer: Balancer, times: number): Promise<void> {
  await until('it was found alive', async () => {
    const alive = await balancer.metric('tftplb_health_checks_total', { outcome: 'alive' });
    return alive >= times || undefined;
  });
}

/** A handler of LIST. */
const list: Handler = async (session) => {
  session.say('150 here it comes');
  const data = await session.data();
  data.handle({ onData: ignore, onEnd: ignore, onDrain: ignore, onClose: ignore });
  data.write(Buffer.from('a file\r\n'));
  data.end();
  session.say('226 done');
};

function ignore(): void {
  // Nothing that a check depends on.
}

describeFlags('Health', {
  healthFile: () => {
    test.each([
      [[], 'tftp-lb-health'],
      [['--health-file=are/you/there'], 'are/you/there'],
    ])('with %j, checks ask for %s', async (flags, file) => {
      const server = await UdpPeer.open();
      await startBalancer([server], { flags: [...quick, ...flags] });
      expect(decodeRequest((await server.next()).data)).toMatchObject({ file, mode: 'octet', options: [] });
    });
  },

  healthInterval: () => {
    test('is the time between two checks', async () => {
      const server = startEmbedded();
      await startBalancer([server], { flags: ['--health-interval=100ms'] });
      await until('it was checked so often', () => server.requests.length > 5 || undefined);
    });

    test('0 turns checks off', async () => {
      const server = startEmbedded({ image: Buffer.from('image') });
      const balancer = await startBalancer([server], { flags: ['--health-interval=0'] });
      expect((await balancer.admin('/readyz')).status).toBe(200);
      await fetchFile(balancer.listener, 'image');
      expect(server.requests.map(({ file }) => file)).toEqual(['image']);
      expect(await balancer.metric('tftplb_health_checks_total')).toBe(0);
    });
  },

  healthTimeout: () => {
    test('is how long a server may take to answer', async () => {
      const balancer = await startBalancer([await UdpPeer.open()], { flags: quick });
      const timeouts = (): Promise<number> =>
        balancer.metric('tftplb_health_checks_total', { outcome: 'timeout' });
      await until('so many checks have failed', async () => (await timeouts()) > 5 || undefined);
    });
  },

  healthRise: () => {
    test('is how many good checks in a row bring a server up', async () => {
      const { up } = await downAndUp('--health-rise=3', '--health-fall=1');
      expect(up.length - 1 - up.lastIndexOf('timeout')).toBe(3);
    });
  },

  healthFall: () => {
    test('is how many failed checks in a row take a server down', async () => {
      const { down } = await downAndUp('--health-rise=1', '--health-fall=4');
      expect(down).toEqual(Array(4).fill('timeout'));
    });
  },

  ejectTime: () => {
    test('is how long a server that refused is tried last', async () => {
      const server = startEmbedded({ image: Buffer.from('image') });
      const balancer = await startBalancer([nobody, server], { flags: ['--eject-time=100ms'] });
      for (let at = 0; at < 2; at += 1) await fetchFile(balancer.listener, 'image');
      await balancer.said({ event: 'backend.state', backend: 'b0', to: 'ejected', reason: 'refused' });
      await balancer.said({ event: 'backend.state', backend: 'b0', to: 'readmitted' }, 5_000);
      expect(await balancer.metric('tftplb_ejections_total', { backend: 'b0' })).toBe(1);
    });
  },

  ...describeLives(),

  ftpHealthUser: () => {
    test('is whom checks log in as, to fetch a listing', async () => {
      const server = await startFtpServer({ handlers: { LIST: list } });
      const balancer = await startFtpBalancer([server], ...often, '--ftp-health-user=probe');
      await checked(balancer, 1);
      const [check] = server.server.sessions;
      expect(check?.heard.slice(0, 4)).toEqual(['USER probe', 'PASS ', 'EPSV', 'LIST']);
    });

    test('takes down a server that greets and has no data connections', async () => {
      const server = await startFtpServer({ handlers: { LIST: (session) => session.say('425 no') } });
      const balancer = await startFtpBalancer([server], ...often, '--ftp-health-user=probe');
      await balancer.said({ event: 'backend.state', to: 'down', reason: 'no-data' });
    });

    test('is nobody by default: a greeting is enough', async () => {
      const server = await startFtpServer();
      const balancer = await startFtpBalancer([server], ...often);
      await checked(balancer, 3);
      const lines = server.server.sessions.flatMap(({ heard }) => heard);
      expect(lines.filter((line) => line !== 'QUIT')).toEqual([]);
    });
  },

  ftpHealthPassword: () => {
    test.each(['flag', 'variable'])(
      'is what checks log in with, from a %s, and is not shown',
      async (where) => {
        const server = await startFtpServer({ handlers: { LIST: list } });
        const given = where === 'flag' ? ['--ftp-health-password=secret'] : [];
        const balancer = await startBalancer([server], {
          protocol: 'ftp',
          flags: [...often, '--log-level=trace', '--ftp-health-user=probe', ...given],
          env: where === 'flag' ? {} : { TFTP_LB_FTP_HEALTH_PASSWORD: 'secret' },
        });
        await until('it has logged in', () =>
          server.server.sessions.find(({ heard }) => heard.includes('PASS secret')),
        );
        expect(balancer.program.stdout).not.toContain('secret');
      },
    );

    test('takes down a server that does not accept it', async () => {
      const server = await startFtpServer({ handlers: { PASS: (session) => session.say('530 no') } });
      const flags = ['--ftp-health-user=probe', '--ftp-health-password=wrong'];
      const balancer = await startFtpBalancer([server], ...often, ...flags);
      await balancer.said({ event: 'backend.state', to: 'down', reason: 'login-refused' });
    });
  },

  ftpHealthPasswordFile: () => {
    const file = path.join(temporaryFolder('password'), 'password');

    test('has the password in its first line', async () => {
      writeFileSync(file, 'from a file\nand a comment\n');
      const server = await startFtpServer({ handlers: { LIST: list } });
      const flags = ['--ftp-health-user=probe', `--ftp-health-password-file=${file}`];
      await startFtpBalancer([server], ...often, ...flags);
      await until('it has logged in', () =>
        server.server.sessions.find(({ heard }) => heard.includes('PASS from a file')),
      );
    });

    test('that cannot be read keeps the balancer from starting', async () => {
      const flags = ['--ftp-health-user=probe', `--ftp-health-password-file=${file}.missing`];
      const exit = await runTftpLb(['--vip=127.0.0.1', '--no-tftp', '--backend=192.0.2.11', ...flags]);
      expect(exit).toMatchObject({ code: 2, stderr: expect.stringContaining(`${file}.missing`) });
      expect(exit.stderr).toMatch(/^tftp-lb: cannot read the password of the health checks: [^\n]*\n$/);
    });
  },
});
