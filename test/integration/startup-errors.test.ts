/** What keeps the balancer from starting: one clear line each, an exit code, no stack trace; and what it warns of. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { startEmbedded } from '../helpers/embedded.ts';
import { removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { strict } from '../helpers/peers.ts';
import { run, stopAll, type Exit } from '../helpers/processes.ts';
import { UdpPeer } from '../helpers/udp-peer.ts';
import { runTftpLb, tftpLbCommand } from './cli.ts';

afterAll(stopAll);
afterAll(removeFolders);

const server = '--backend=192.0.2.11';
const anyPort = ['--vip=127.0.0.1', '--no-ftp', '--tftp-port=0'];
const local = [...anyPort, server];

/** Runs what must fail. Returns what it says, without the program's name in front of each line. */
async function complaints(code: number, args: readonly string[]): Promise<string[]> {
  // A name server that cannot be reached is not waited for.
  const env = { RES_OPTIONS: 'timeout:1 attempts:1' };
  const exit = await runTftpLb([...args, '--log-level=fatal'], { env });
  expect(exit).toMatchObject({ code, stdout: '' });
  return linesOf(exit);
}

function linesOf({ stderr }: Exit): string[] {
  const lines = stderr.split('\n');
  expect(lines.pop()).toBe('');
  for (const line of lines) expect(line).toMatch(/^tftp-lb: /);
  return lines.map((line) => line.slice('tftp-lb: '.length));
}

describe('an address', () => {
  test('that is in use is named, with what to do', async () => {
    const { port } = await UdpPeer.open();
    const args = ['--vip=127.0.0.1', '--no-ftp', `--tftp-port=${port}`, server, '--no-admin'];
    expect(await complaints(1, args)).toEqual([
      `cannot bind 127.0.0.1 port ${port}: another socket holds this address and port; stop the program that listens there (ss -lntup names it) or choose another --vip, --tftp-port or --ftp-port`,
    ]);
  });

  test('that this host does not have is named, with what to do', async () => {
    expect(
      await complaints(1, ['--vip=192.0.2.99', '--no-ftp', '--tftp-port=0', server, '--no-admin']),
    ).toEqual([
      'cannot bind 192.0.2.99 port 0: this host does not have the address; give --vip an address that this host has (ip address shows them), or 0.0.0.0 or ::, which follow addresses that come and go',
    ]);
  });

  test('of the admin endpoints that is in use is named, with what to do', async () => {
    const holder = createServer();
    onTestFinished(() => void holder.close());
    await once(holder.listen(0, '127.0.0.1'), 'listening');
    const place = `127.0.0.1:${(holder.address() as { port: number }).port}`;
    expect(await complaints(1, [...local, `--admin=${place}`])).toEqual([
      `the admin endpoints cannot listen on ${place}: another program listens there; choose another --admin ADDR:PORT, or --no-admin`,
    ]);
  });

  test('is in use for a second balancer too', async () => {
    const { listener } = await startBalancer([startEmbedded()]);
    const args = ['--vip=127.0.0.1', '--no-ftp', `--tftp-port=${listener.port}`, server, '--no-admin'];
    const [complaint] = await complaints(1, args);
    expect(complaint).toContain(`cannot bind 127.0.0.1 port ${listener.port}: another socket holds`);
  });
});

describe('a backend', () => {
  test.each([
    [
      '--backend=127.0.0.1:6969',
      `--backend "127.0.0.1:6969": 127.0.0.1:6969 is where the balancer itself listens; give the server's own port`,
    ],
    [
      '--backend=localhost:6969',
      'backend localhost:6969 is the balancer itself: it listens on 127.0.0.1:6969; give the address or port of the server behind it',
    ],
  ])('that is the balancer itself is refused: %s', async (backend, complaint) => {
    expect(
      await complaints(2, ['--vip=127.0.0.1', '--no-ftp', '--tftp-port=6969', backend, '--no-admin']),
    ).toEqual([complaint]);
  });

  test('whose name nobody knows is named, with what to do', async () => {
    const [complaint, ...others] = await complaints(1, [
      ...anyPort,
      '--backend=no-such-host.invalid',
      '--no-admin',
    ]);
    // What a resolver says of it depends on whether it reaches a name server.
    expect(complaint).toMatch(
      /^cannot find the host "no-such-host\.invalid": .*; correct the name or the file that tells of backends, or give their addresses instead$/,
    );
    expect(others).toEqual([]);
  });

  test('that a file should list are missed, and so is the file', async () => {
    const file = path.join(temporaryFolder('list'), 'backends.yaml');
    const args = [...anyPort, `--backends-file=${file}`, '--no-admin'];
    const advice = 'correct the name or the file that tells of backends, or give their addresses instead';
    const [missing] = await complaints(1, args);
    expect(missing).toMatch(/^cannot read .*backends\.yaml: ENOENT.*; correct the name or the file/);
    writeFileSync(file, '[]');
    expect(await complaints(1, args)).toEqual([`there are no backends in ${file}; ${advice}`]);
    writeFileSync(file, '- a b\n- 192.0.2.11:0\n');
    const [wrong] = await complaints(1, args);
    expect(wrong).toMatch(/: line 1: expected .*; line 2: expected a port from 1 to 65535; correct /);
  });
});

describe('a command line', () => {
  test('is told everything that is wrong with it at once, a line each', async () => {
    const args = [
      '--vip=10.0.0.256',
      '--tftp-port=70000',
      '--backend=a,weigth=3',
      '--health-rise=0',
      '--sinlge-port',
    ];
    expect(await complaints(2, args)).toEqual([
      '--sinlge-port: unknown flag; did you mean --single-port?',
      '--vip "10.0.0.256": expected an IPv4 or IPv6 address in numbers',
      '--tftp-port "70000": expected a whole number from 0 to 65535',
      '--backend "a,weigth=3": expected weight=N or name=X behind a comma, not "weigth=3"; did you mean weight?',
      '--health-rise "0": expected a whole number from 1 to 100',
    ]);
  });

  test('that lacks what is needed is told so', async () => {
    expect(await complaints(2, [])).toEqual([
      '--vip: required: the address to listen on, ADDR',
      '--backend: required: a server to balance over, HOST[:PORT] (or --tftp-backend and --ftp-backend)',
    ]);
  });

  test('with an unknown command is told of the one that is close', async () => {
    expect(await complaints(2, ['chek', ...local])).toEqual([
      'argument "chek": not expected; did you mean check?',
    ]);
  });

  test('is read together with the environment', async () => {
    const env = { TFTP_LB_TRY_INTERVAL: 'soon', TFTP_LB_SINGLE_PROT: 'true' };
    const exit = await runTftpLb(local, { env });
    expect(exit).toMatchObject({ code: 2, stdout: '' });
    expect(linesOf(exit)).toEqual([
      'TFTP_LB_TRY_INTERVAL "soon": expected a duration from 10ms to 1m, such as 500ms, 10s or 1m',
      'TFTP_LB_SINGLE_PROT: unknown variable; did you mean TFTP_LB_SINGLE_PORT?',
    ]);
  });
});

/** How a program runs that may not listen on ports below 1024, whoever runs the tests; undefined if that cannot be. */
async function withoutPrivilege(): Promise<readonly string[] | undefined> {
  const isRoot = process.getuid?.() === 0;
  const start = Number(readFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', 'utf8'));
  const drop = ['setpriv', '--bounding-set=-net_bind_service', '--inh-caps=-net_bind_service'];
  // Where everybody may (as in many containers), a network of its own begins with the system's default.
  const own = ['unshare', ...(isRoot ? [] : ['--map-root-user']), '--net'];
  const up = ['sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
  const prefix = start <= 69 ? [...own, ...up, ...drop] : isRoot ? drop : [];
  const [program, ...args] = [...prefix, 'true'] as const;
  return (await run({ program, env: {} }, args)).code === 0 ? prefix : undefined;
}

const unprivileged = await withoutPrivilege();

describe.skipIf(unprivileged === undefined && !strict)('a port below 1024', () => {
  test('without the privilege is told what gives it', async () => {
    const { program: node, args } = tftpLbCommand([
      '--vip=127.0.0.1',
      '--no-ftp',
      server,
      '--no-admin',
      '--log-level=fatal',
    ]);
    const [program = node, ...rest] = [...(unprivileged ?? []), node, ...args];
    const exit = await run({ program, env: {} }, rest);
    expect(exit).toMatchObject({ code: 1, stdout: '' });
    expect(linesOf(exit)).toEqual([
      `cannot bind 127.0.0.1 port 69: permission denied; ports below 1024 need a privilege: setcap cap_net_bind_service=+ep ${node}, AmbientCapabilities=CAP_NET_BIND_SERVICE in a systemd unit, sysctl net.ipv4.ip_unprivileged_port_start=21, or higher ports, as --tftp-port 6969 --ftp-port 2121`,
    ]);
  });
});

describe('a warning at the start', () => {
  test('tells of a descriptor limit that is too low, with the numbers', async () => {
    const { program, args } = tftpLbCommand(['check', ...local, '--engine=portable', '--max-sessions=1000']);
    const shell = ['-c', 'ulimit -n 200; exec "$@"', 'sh', program, ...args];
    expect(await run({ program: 'sh', env: {} }, shell)).toMatchObject({
      code: 0,
      stdout: 'the configuration is valid\n',
      stderr:
        'tftp-lb: warning: --max-sessions 1000 can need 3128 descriptors, the limit of this process is 200 (enough for 24 sessions)\n',
    });
  });

  test('tells of a range of ports that is too small, with the numbers, and the balancer runs', async () => {
    const balancer = await startBalancer([startEmbedded()], {
      flags: ['--engine=portable', '--tid-ports=40000-40009', '--max-sessions=20'],
    });
    expect(await balancer.said({ finding: 'port-range-small' })).toMatchObject({
      level: 'warn',
      msg: '--tid-ports 40000-40009 carries 10 sessions per address, --max-sessions allows 20',
    });
  });
});
