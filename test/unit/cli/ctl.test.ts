/** `tftp-lb ctl` against the admin endpoints of a balancer that only notes what it is asked. */
import { createServer } from 'node:http';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startAdminSocket } from '../../../src/observe/admin-socket.ts';
import type { Operator, OrderResult } from '../../../src/observe/operator.ts';
import type { BackendStatus, ServiceStatus } from '../../../src/observe/status.ts';
import { temporaryFolder } from '../../helpers/folders.ts';
import { backendStatus, open, sourcesFor, status } from '../observe/admin-scene.ts';
import { command, type Outcome } from './scene.ts';

const token = 'a-token-of-the-test';

function service(name: 'tftp' | 'ftp', ...backends: BackendStatus[]): ServiceStatus {
  return { name, kind: name, sessions: 0, listeners: [], backends };
}

/** A balancer with two services; `one` is in both. */
class FakeBalancer implements Operator {
  readonly asked: string[] = [];
  reload: Operator['reload'] = async () => ({ kind: 'applied', changes: [] });
  handOver: Operator['handOver'] = () => ({ kind: 'begun', pid: 1 });
  services: ServiceStatus[] = [
    service('tftp', backendStatus(), backendStatus({ name: 'two', state: 'down', up: false })),
    service('ftp', backendStatus({ port: 21, sessions: 2 })),
  ];

  order(...[name, backend, order, by]: Parameters<Operator['order']>): OrderResult {
    this.asked.push(`${name}/${backend} ${order.kind === 'mode' ? order.mode : String(order.weight)} ${by}`);
    const found = this.services
      .find((service) => service.name === name)
      ?.backends.find((known) => known.name === backend);
    return found
      ? { kind: 'obeyed', changed: order.kind === 'mode', backend: { ...found, state: 'draining' } }
      : { kind: 'unknown-backend', known: [] };
  }

  /** What it says of the sessions of each backend, look by look; the last one for ever. */
  sessions(...looks: number[]): void {
    let at = 0;
    Object.defineProperty(this, 'services', {
      get: () => [service('tftp', backendStatus({ sessions: looks[Math.min(at++, looks.length - 1)] ?? 0 }))],
    });
  }
}

async function scene() {
  const balancer = new FakeBalancer();
  const sources = sourcesFor(balancer);
  const shown = { ...sources.status, status: () => ({ ...status, services: balancer.services }) };
  const folder = temporaryFolder('ctl');
  const socket = path.join(folder, 'admin.sock');
  const server = await startAdminSocket(socket, { ...sources, status: shown });
  onTestFinished(() => server.close());
  const { signal } = new AbortController();
  const ctl = (order: string, ...args: string[]): Promise<Outcome> =>
    command(['ctl', order, '--admin-socket', socket, ...args], {
      signal,
      environment: { SUDO_USER: 'alice' },
    });
  return { balancer, socket, folder, ctl, sources };
}

describe('status', () => {
  it('is a table of all backends', async () => {
    const { ctl } = await scene();
    const { stdout, exitCode } = await ctl('status');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n').map((line) => line.trimEnd().split(/ {2,}/))).toEqual([
      ['service', 'backend', 'address', 'state', 'health', 'weight', 'sessions'],
      expect.anything(),
      ['tftp', 'one', '192.0.2.11:69', 'up', 'up', '1', '0'],
      ['tftp', 'two', '192.0.2.11:69', 'down', 'down', '1', '0'],
      ['ftp', 'one', '192.0.2.11:21', 'up', 'up', '1', '2'],
      [''],
    ]);
  });

  it.each([
    [{ weight: 3 }, '3 (configured 1)'],
    [{ weight: 3, configuredWeight: 3, effectiveWeight: 0.375 }, '3 (now 0.38)'],
    [{ weight: 2, configuredWeight: 5, effectiveWeight: 1.5 }, '2 (configured 5, now 1.5)'],
  ])('shows what a weight is made of: %j', async (fields, text) => {
    const { ctl, balancer } = await scene();
    const weights = { effectiveWeight: fields.weight, ...fields };
    balancer.services = [service('tftp', backendStatus(weights))];
    expect((await ctl('status')).stdout).toContain(` ${text} `);
  });

  it('is that of one server, or of one of its services', async () => {
    const { ctl } = await scene();
    const rows = async (name: string): Promise<string[]> =>
      (await ctl('status', name)).stdout
        .split('\n')
        .slice(2, -1)
        .map((line) => line.split(' ', 1)[0] ?? '');
    expect([await rows('one'), await rows('ftp/one')]).toEqual([['tftp', 'ftp'], ['ftp']]);
  });

  it('is what the endpoint says with --json', async () => {
    const { ctl, balancer } = await scene();
    const whole: unknown = JSON.parse((await ctl('status', '--json')).stdout);
    expect(whole).toEqual({ ...status, services: balancer.services });
    const one: unknown = JSON.parse((await ctl('status', 'ftp/one', '--json')).stdout);
    expect(one).toEqual([{ service: 'ftp', backend: balancer.services[1]?.backends[0] }]);
  });

  it('of a backend that there is not is none', async () => {
    const { ctl } = await scene();
    expect(await ctl('status', 'twoo')).toMatchObject({
      exitCode: 2,
      failures: ['there is no backend twoo; did you mean two?'],
    });
    expect(await ctl('status', 'ftp/two')).toMatchObject({
      exitCode: 2,
      failures: [expect.stringContaining('there is no backend ftp/two')],
    });
  });
});

describe('orders', () => {
  it.each([
    [['drain', 'ftp/one'], ['ftp/one draining']],
    [
      ['enable', 'one'],
      ['tftp/one enabled', 'ftp/one enabled'],
    ],
    [['disable', 'two'], ['tftp/two disabled']],
    [['weight', 'tftp/one', '7'], ['tftp/one 7']],
    [['weight', 'tftp/one', 'default'], ['tftp/one undefined']],
  ] as const)('%j asks for %j, in the name of its user', async ([order, ...args], expected) => {
    const { ctl, balancer } = await scene();
    expect(await ctl(order, ...args)).toMatchObject({ exitCode: 0, failures: [] });
    expect(balancer.asked).toEqual(expected.map((line) => `${line} alice, admin socket`));
  });

  it('say what has become of it', async () => {
    const { ctl } = await scene();
    expect((await ctl('drain', 'one')).stdout).toBe(
      'tftp/one: draining, weight 1\nftp/one: draining, weight 1, 2 sessions\n',
    );
    expect((await ctl('weight', 'two', '1')).stdout).toBe('tftp/two: draining, weight 1 (as before)\n');
  });

  it('say it as JSON, too', async () => {
    const { ctl } = await scene();
    const said: unknown = JSON.parse((await ctl('drain', 'two', '--json')).stdout);
    expect(said).toMatchObject([{ service: 'tftp', changed: true, backend: { name: 'two' } }]);
  });

  it.each(['0', '257', '1.5', '-3', 'x', ''])('weight %j is none', async (weight) => {
    const { ctl, balancer } = await scene();
    expect(await ctl('weight', 'one', '--', weight)).toMatchObject({
      exitCode: 2,
      failures: [expect.stringContaining('expected a whole number from 1 to 256')],
    });
    expect(balancer.asked).toEqual([]);
  });

  it('name a backend in whatever way it is spelled', async () => {
    const { ctl, balancer } = await scene();
    balancer.services = [service('tftp', backendStatus({ name: '[2001:db8::11%eth0]:69' }))];
    expect(await ctl('drain', '[2001:db8::11%eth0]:69')).toMatchObject({ exitCode: 0 });
    expect(balancer.asked).toEqual(['tftp/[2001:db8::11%eth0]:69 draining alice, admin socket']);
  });
});

describe('drain --wait', () => {
  it('waits until no session is left, and tells how many are', async () => {
    const { ctl, balancer } = await scene();
    balancer.sessions(3, 3, 3, 1, 0);
    const { exitCode, stdout, stderr } = await ctl('drain', 'one', '--wait');
    expect([exitCode, stderr]).toEqual([0, '3 sessions left\n1 session left\n']);
    expect(stdout).toMatch(/^tftp\/one: \w+, weight 1\n$/);
  });

  it('gives up when its time is over, with 3', async () => {
    const { ctl, balancer } = await scene();
    balancer.sessions(2);
    const { exitCode, stdout, stderr, failures } = await ctl('drain', 'one', '--wait=300ms');
    expect({ exitCode, failures }).toEqual({ exitCode: 3, failures: [] });
    expect(stderr).toBe('2 sessions left\ntftp-lb: not drained in time: 2 sessions left\n');
    expect(stdout).toContain('2 sessions');
  });

  it('waits for nothing where nothing is left, and not without being asked', async () => {
    const { ctl, balancer } = await scene();
    balancer.sessions(0);
    expect(await ctl('drain', 'one', '--wait=0')).toMatchObject({ exitCode: 0, stderr: '' });
    balancer.asked.length = 0;
    const other = await scene();
    other.balancer.services = [service('tftp', backendStatus({ sessions: 5 }))];
    expect(await other.ctl('drain', 'one')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('takes its backend before or behind it', async () => {
    const { ctl, balancer } = await scene();
    expect(await ctl('drain', '--wait', 'two')).toMatchObject({ exitCode: 0 });
    expect(await ctl('drain', '--wait', '1s', 'two')).toMatchObject({ exitCode: 0 });
    expect(balancer.asked).toHaveLength(2);
    expect(await ctl('drain', '--wait', 'soon', 'two')).toMatchObject({
      exitCode: 2,
      failures: [expect.stringContaining('--wait "soon": expected a duration')],
    });
    expect(await ctl('drain', '--wait', '1s')).toMatchObject({
      exitCode: 2,
      failures: [expect.stringContaining('[SERVICE/]BACKEND is missing')],
    });
  });

  it('ends when it is told to', async () => {
    const { balancer, socket } = await scene();
    balancer.sessions(2);
    const stop = new AbortController();
    const waiting = command(['ctl', 'drain', 'one', '--wait', '--admin-socket', socket], {
      signal: stop.signal,
    });
    await expect.poll(() => balancer.asked.length).toBe(1);
    stop.abort();
    expect(await waiting).toMatchObject({ exitCode: 1, failures: ['interrupted'] });
  });
});

describe('reload', () => {
  it('says that it is done', async () => {
    const { ctl, balancer } = await scene();
    expect(await ctl('reload')).toMatchObject({ exitCode: 0, stdout: 'reloaded, nothing has changed\n' });
    const changes = ['service pxe added', 'log'];
    balancer.reload = async () => ({ kind: 'applied', changes });
    expect(await ctl('reload')).toMatchObject({
      exitCode: 0,
      stdout: 'reloaded\n  service pxe added\n  log\n',
    });
    expect(JSON.parse((await ctl('reload', '--json')).stdout)).toEqual({ reloaded: true, changes });
  });

  it('says every fault that it was refused for', async () => {
    const { ctl, balancer } = await scene();
    balancer.reload = async () => ({ kind: 'refused', faults: ['line 3: no', 'line 7: no'] });
    expect(await ctl('reload')).toMatchObject({ exitCode: 1, failures: ['line 3: no', 'line 7: no'] });
  });
});

async function overHttp() {
  const { balancer, folder, sources } = await scene();
  const shown = { ...sources.status, status: () => ({ ...status, services: balancer.services }) };
  const { port } = await open({ ...sources, status: shown }, { kind: 'token', token });
  const tokenFile = path.join(folder, 'token');
  writeFileSync(tokenFile, `${token}\n`);
  const { signal } = new AbortController();
  const ctl = (...args: string[]): Promise<Outcome> =>
    command(['ctl', ...args, '--url', `http://127.0.0.1:${port}`], { signal });
  return { balancer, tokenFile, ctl };
}

describe('over HTTP', () => {
  it('shows without a token and changes with one', async () => {
    const { ctl, tokenFile, balancer } = await overHttp();
    expect(await ctl('status')).toMatchObject({ exitCode: 0 });
    expect(await ctl('drain', 'two')).toMatchObject({
      exitCode: 1,
      failures: ['the bearer token is wrong, or missing'],
    });
    expect(await ctl('drain', 'two', '--admin-token-file', tokenFile)).toMatchObject({ exitCode: 0 });
    expect(balancer.asked).toEqual([expect.stringMatching(/^tftp\/two draining .*, 127\.0\.0\.1 port \d+$/)]);
  });

  it.each(['127.0.0.1:9069', 'ftp://127.0.0.1', 'x'])('%j is no URL for it', async (url) => {
    expect(await command(['ctl', 'status', '--url', url])).toMatchObject({
      exitCode: 2,
      failures: [expect.stringContaining('expected http://HOST:PORT')],
    });
  });

  it('says that a file with a token cannot be read', async () => {
    const { ctl } = await overHttp();
    expect(await ctl('status', '--admin-token-file', '/no/such/file')).toMatchObject({
      exitCode: 2,
      failures: [expect.stringMatching(/^cannot read --admin-token-file: .*ENOENT/)],
    });
  });

  it('says that something else answers', async () => {
    const stranger = createServer((_request, response) => response.end('{"hello":"world"}'));
    stranger.listen(0, '127.0.0.1');
    onTestFinished(() => void stranger.close());
    const { promise, resolve } = Promise.withResolvers<void>();
    stranger.once('listening', resolve);
    await promise;
    const address = stranger.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const { signal } = new AbortController();
    expect(await command(['ctl', 'status', '--url', `http://127.0.0.1:${port}`], { signal })).toMatchObject({
      exitCode: 1,
      failures: [expect.stringContaining('is no tftp-lb, or another version')],
    });
  });
});

describe('where no balancer answers', () => {
  const { signal } = new AbortController();

  it('says that there is no socket, and where it was looked for', async () => {
    const missing = path.join(temporaryFolder('ctl'), 'admin.sock');
    expect(await command(['ctl', 'status', '--admin-socket', missing], { signal })).toMatchObject({
      exitCode: 1,
      failures: [expect.stringContaining(`there is no admin socket at ${missing}: is the balancer running?`)],
    });
  });

  it('looks where a balancer is by itself', async () => {
    const { folder } = await scene();
    const environment = { RUNTIME_DIRECTORY: folder };
    expect(await command(['ctl', 'status'], { signal, environment })).toMatchObject({ exitCode: 0 });
  });

  it('looks where the variable of the balancer says', async () => {
    const { socket } = await scene();
    const environment = { TFTP_LB_ADMIN_SOCKET: socket };
    expect(await command(['ctl', 'status'], { signal, environment })).toMatchObject({ exitCode: 0 });
  });

  it('says that nobody listens any more', async () => {
    const { socket, folder } = await scene();
    const stale = path.join(folder, 'stale');
    writeFileSync(stale, '');
    const { failures, exitCode } = await command(['ctl', 'status', '--admin-socket', stale], { signal });
    expect([exitCode, failures]).toEqual([1, [expect.stringContaining(`nobody listens at`)]]);
    expect(failures[0]).not.toContain(socket);
  });

  it.skipIf(process.getuid?.() === 0)('says who may open it', async () => {
    const { socket, ctl } = await scene();
    chmodSync(socket, 0o000);
    expect(await ctl('status')).toMatchObject({
      exitCode: 1,
      failures: [expect.stringContaining('no permission to open')],
    });
  });

  it('does not take both a socket and a URL', async () => {
    expect(
      await command(['ctl', 'status', '--admin-socket', '/x', '--url', 'http://127.0.0.1'], { signal }),
    ).toMatchObject({ exitCode: 2, failures: ['--admin-socket and --url exclude each other'] });
  });
});

describe('the orders', () => {
  it('are named where none was given, or an unknown one', async () => {
    expect((await command(['ctl'])).failures).toEqual([
      'an order is missing; there are status, drain, enable, disable, weight, reload',
    ]);
    expect(await command(['ctl', 'drian', 'one', '--admin-socket=/run/x'])).toMatchObject({
      exitCode: 2,
      failures: ['unknown order drian; did you mean drain?'],
    });
  });

  it('stand in the docs, as they are in the help', async () => {
    const docs = readFileSync(path.join(import.meta.dirname, '../../../docs/cli.md'), 'utf8');
    const [, section = ''] = docs.split('\n## ctl\n');
    const { stdout } = await command(['ctl', '--help']);
    const [, commands = ''] = stdout.split('\nCommands:\n');
    const orders = [...commands.matchAll(/^ {2}(\w+) \[options\]/gm)].map(([, order = '']) => order);
    expect(orders.length).toBeGreaterThan(4);
    for (const order of orders) expect(section).toContain(`| \`${order}`);
  });
});
