/** How the running balancer is seen and stopped. */
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../helpers/balancer.ts';
import { fetchFile, lacksIpv6, nobody, startEmbedded } from '../helpers/embedded.ts';
import { noise, temporaryFolder } from '../helpers/folders.ts';
import { tcpPortsOf, threadsOf, udpPortsAt, udpPortsOf } from '../helpers/kernel.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';
import { runTftpLb, startTftpLb } from './cli.ts';
import { describeFlags } from './flags.ts';

const image = noise(2_000);

afterAll(stopAll);

/** The gravities of what the balancer logs of a failover, an ejection and two transfers. */
async function levelsLogged(level: string): Promise<Set<string>> {
  const server = startEmbedded({ image });
  const address = ownLoopback();
  const program = startTftpLb([
    `--vip=${address}`,
    '--no-ftp',
    '--tftp-port=0',
    `--backend=${nobody.address}:${nobody.port}`,
    `--backend=${server.address}:${server.port}`,
    '--health-interval=0',
    '--no-admin',
    `--log-level=${level}`,
  ]);
  // Its log may not tell.
  const port = await until('it listens', () => udpPortsAt(program.pid ?? 0, address)[0]);
  for (let at = 0; at < 2; at += 1) await fetchFile({ address, port }, 'image');
  const { code, stdout, stderr } = await program.stop();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.split('\n').slice(0, -1);
  return new Set(lines.map((line) => (JSON.parse(line) as { level: string }).level));
}

function drain(balancer: Balancer, headers: Record<string, string> = {}): Promise<number> {
  return balancer.admin('/backends/tftp/b0/drain', { method: 'POST', headers }).then(({ status }) => status);
}

describeFlags('Operation', {
  takeover: () =>
    test('needs a balancer that runs', async () => {
      const socket = path.join(temporaryFolder('takeover'), 'admin.sock');
      const flags = ['--vip=127.0.0.1', '--no-ftp', '--tftp-port=6969', '--backend=192.0.2.11'];
      const exit = await runTftpLb([...flags, `--admin-socket=${socket}`, '--takeover']);
      expect(exit).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(`no admin socket at ${socket}`),
      });
    }),
  admin: () => {
    test.each(['127.0.0.1', ...(lacksIpv6 ? [] : ['::1'])])(
      'is where the endpoints are, %s',
      async (address) => {
        const host = address.includes(':') ? `[${address}]` : address;
        const balancer = await startBalancer([startEmbedded()], { flags: [`--admin=${host}:0`] });
        expect(await balancer.said({ msg: 'admin endpoints listen' })).toMatchObject({ address });
        const statuses = ['/healthz', '/readyz', '/status', '/metrics', '/'].map(async (resource) => {
          const answer = await balancer.admin(resource);
          return `${resource} ${answer.status} ${answer.headers.get('content-type')?.split(';', 1)[0]}`;
        });
        expect(await Promise.all(statuses)).toEqual([
          '/healthz 200 text/plain',
          '/readyz 200 application/json',
          '/status 200 application/json',
          '/metrics 200 text/plain',
          '/ 404 text/plain',
        ]);
      },
    );

    test('--no-admin leaves nothing that could be connected to', async () => {
      const { program, listener } = await startBalancer([startEmbedded({ image })], {
        flags: ['--no-admin'],
      });
      expect((await fetchFile(listener, 'image')).bytes).toEqual(image);
      expect(tcpPortsOf(program.pid ?? 0)).toEqual([]);
      expect(udpPortsOf(program.pid ?? 0)).toContain(listener.port);
    });
  },

  logLevel: () => {
    test.each([
      ['trace', ['trace', 'debug', 'info', 'warn']],
      ['info', ['info', 'warn']],
      ['warn', ['warn']],
      ['silent', []],
    ])('%s logs what is %j', async (level, logged) => {
      expect(await levelsLogged(level)).toEqual(new Set(logged));
    });
  },

  workers: () => {
    test.each([
      ['1', 1],
      ['3', 3],
      ['auto', availableParallelism()],
    ])('%s: %i threads serve clients', async (setting, count) => {
      const balancer = await startBalancer([startEmbedded()], { flags: [`--workers=${setting}`] });
      const { workers } = await balancer.status();
      const expected = Array.from({ length: count }, (_, index) => {
        return { index, kind: expect.any(String), state: 'serving', restarts: 0 };
      });
      expect(workers).toEqual(expected);
      expect(threadsOf(balancer.program.pid ?? 0).filter((name) => name.startsWith('worker-'))).toHaveLength(
        count,
      );
    });
  },

  engine: () => {
    const onLinux = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);

    test.each([
      ['portable', 'portable', 'it was asked for'],
      ...(onLinux
        ? [
            ['linux', 'linux', 'it was asked for'],
            ['auto', 'linux', 'its system calls work here'],
          ]
        : []),
    ])('%s serves TFTP, and says so and why', async (setting, name, reason) => {
      const balancer = await startBalancer([startEmbedded({ image })], { flags: [`--engine=${setting}`] });
      await balancer.said({ msg: 'serving', engine: name, reason });
      expect((await fetchFile(balancer.listener, 'image')).bytes).toEqual(image);
      const { engine, workers } = await balancer.status();
      expect(engine).toEqual({ name, reason });
      expect(new Set(workers.map(({ kind }) => kind))).toEqual(new Set([name]));
      expect(await balancer.metric('tftplb_build_info', { engine: name })).toBe(1);
    });
  },

  busyPoll: () => {
    test('0 makes no polls between two datagrams, and serves all the same', async () => {
      const flags = ['--busy-poll=0', '--workers=1'];
      const balancer = await startBalancer([startEmbedded({ image })], { flags });
      expect((await fetchFile(balancer.listener, 'image')).bytes).toEqual(image);
    });
  },

  drainTimeout: () => {
    test('is how long running transfers may take to finish', async () => {
      const flags = ['--drain-timeout=1s'];
      const balancer = await startBalancer([startEmbedded({ image })], { flags });
      await HeldDownload.begin(balancer.listener, 'image');
      balancer.program.signal('SIGTERM');
      expect(await balancer.program.ended).toMatchObject({ code: 3, stderr: '' });
      await balancer.said({ msg: 'stopping', outcome: 'timed-out' });
    });
  },

  adminSocket: () => {
    const folder = temporaryFolder('run');

    test('is where changes are asked for', async () => {
      const place = path.join(folder, 'given.sock');
      const balancer = await startBalancer([startEmbedded()], { flags: [`--admin-socket=${place}`] });
      expect(balancer.socket).toBe(place);
      expect(await balancer.order('tftp/b0', 'drain')).toBe(200);
      await balancer.said({ event: 'backend.state', backend: 'b0', to: 'draining' });
      const { code } = await balancer.program.stop();
      expect([code, existsSync(place)]).toEqual([0, false]);
    });

    test('is in the runtime directory by itself', async () => {
      const env = { RUNTIME_DIRECTORY: folder, TFTP_LB_ADMIN_SOCKET: '' };
      const balancer = await startBalancer([startEmbedded()], { env });
      expect(balancer.socket).toBe(path.join(folder, 'admin.sock'));
      expect(await balancer.order('tftp/b0', 'enable')).toBe(200);
      const second = await runTftpLb(
        ['--vip=127.0.0.1', '--no-ftp', '--tftp-port=0', '--backend=192.0.2.11', '--admin=127.0.0.1:0'],
        { env },
      );
      expect(second).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /^tftp-lb: the admin socket cannot be at .*: another process listens there/,
        ),
      });
    });

    test('is given up, with a word, where there is nothing that it could be in', async () => {
      const env = { RUNTIME_DIRECTORY: '/proc/nowhere', TFTP_LB_ADMIN_SOCKET: '' };
      const balancer = await startBalancer([startEmbedded({ image })], { env });
      await balancer.said({ msg: 'no admin socket: nothing can be changed through it' });
      expect((await fetchFile(balancer.listener, 'image')).bytes).toEqual(image);
    });

    test('--no-admin-socket leaves none', async () => {
      const other = path.join(folder, 'none');
      const env = { RUNTIME_DIRECTORY: other, TFTP_LB_ADMIN_SOCKET: '' };
      await startBalancer([startEmbedded()], { flags: ['--no-admin-socket'], env });
      expect(existsSync(other)).toBe(false);
    });
  },

  adminTokenFile: () => {
    const file = path.join(temporaryFolder('token'), 'token');

    test('has the token that lets changes through', async () => {
      writeFileSync(file, 'a-token-of-the-test\nand a comment\n');
      const balancer = await startBalancer([startEmbedded()], { flags: [`--admin-token-file=${file}`] });
      expect([
        await drain(balancer),
        await drain(balancer, { authorization: 'Bearer another-token-of-the-test' }),
        await drain(balancer, { authorization: 'Bearer a-token-of-the-test', origin: 'http://127.0.0.1' }),
      ]).toEqual([401, 401, 403]);
      expect(await balancer.backend('b0')).toMatchObject({ operator: 'enabled' });
      expect(await drain(balancer, { authorization: 'Bearer a-token-of-the-test' })).toBe(200);
      expect(await balancer.backend('b0')).toMatchObject({ operator: 'draining' });
      expect(balancer.program.stdout).not.toContain('a-token-of-the-test');
    });

    test('is none by default, and nothing can be changed', async () => {
      const balancer = await startBalancer([startEmbedded()]);
      expect([await drain(balancer), await drain(balancer, { authorization: 'Bearer ' })]).toEqual([
        403, 403,
      ]);
      expect(await balancer.backend('b0')).toMatchObject({ operator: 'enabled' });
    });

    test.each([
      ['that is missing', undefined, /cannot read --admin-token-file: ENOENT/],
      ['that is too short to be a secret', 'secret', /expected 16 printable characters or more/],
      ['that is empty', '', /expected 16 printable characters or more/],
    ])('%s keeps the balancer from starting', async (_what, token, said) => {
      rmSync(file, { force: true });
      if (token !== undefined) writeFileSync(file, token);
      const flags = ['--vip=127.0.0.1', '--no-ftp', '--tftp-port=0', '--backend=192.0.2.11'];
      const exit = await runTftpLb([...flags, `--admin-token-file=${file}`]);
      expect(exit).toMatchObject({ code: 2, stderr: expect.stringMatching(said) });
    });
  },
});
