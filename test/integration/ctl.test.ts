/** `tftp-lb ctl` and the balancer as two processes, over the socket and over TCP, on every engine. */
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../src/net/net.ts';
import { type Balancer, startBalancer } from '../helpers/balancer.ts';
import { ConfiguredBalancer, fileOf, placeOf } from '../helpers/configured.ts';
import { type EmbeddedServer, fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise, temporaryFolder } from '../helpers/folders.ts';
import { type Exit, stopAll } from '../helpers/processes.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';
import { runTftpLb } from './cli.ts';

const image = noise(5_000);
const token = 'a-token-of-the-test';

afterAll(stopAll);

function socketFlag(): string {
  return `--admin-socket=${path.join(temporaryFolder('ctl'), 'admin.sock')}`;
}

/** Over the socket of the balancer. */
function ctl(balancer: Balancer, ...args: readonly string[]): Promise<Exit> {
  return runTftpLb(['ctl', ...args, `--admin-socket=${balancer.socket}`], { env: { SUDO_USER: 'alice' } });
}

/** Two servers, which the tests of a group share with the balancer in front of them. */
async function lab(...flags: readonly string[]): Promise<{ balancer: Balancer; servers: EmbeddedServer[] }> {
  const servers = [startEmbedded({ image }), startEmbedded({ image })];
  const balancer = await startBalancer(servers, { flags: [...flags] });
  return { balancer, servers };
}

/** One service, which has these backends. */
function file(...backends: readonly string[]): string {
  return fileOf({ pxe: { backends } });
}

describe('orders', () => {
  test('drain a server, wait for its last transfer, and say what there is', async () => {
    const { balancer } = await lab(socketFlag());
    const held = [
      await HeldDownload.begin(balancer.listener, 'image'),
      await HeldDownload.begin(balancer.listener, 'image'),
    ];
    const early = await ctl(balancer, 'drain', 'tftp/b0', '--wait=0');
    expect(early).toMatchObject({ code: 3, stdout: 'tftp/b0: draining, weight 1, 1 session\n' });
    expect(early.stderr).toBe('1 session left\ntftp-lb: not drained in time: 1 session left\n');
    await balancer.said({ backend: 'b0', to: 'draining', by: 'alice, admin socket' });

    const waiting = ctl(balancer, 'drain', 'b0', '--wait=20s');
    for (const transfer of held) expect(await transfer.finish()).toEqual(image);
    expect(await waiting).toMatchObject({ code: 0, stdout: 'tftp/b0: drained, weight 1\n' });
    for (let n = 0; n < 4; n += 1) await fetchFile(balancer.listener, 'image');
    await balancer.ended(6);
    expect(balancer.shares()).toEqual({ b0: 1, b1: 5 });
    expect(await ctl(balancer, 'enable', 'b0')).toMatchObject({
      code: 0,
      stdout: 'tftp/b0: up, weight 1\n',
    });
  });

  test('show a table, or the status as it is', async () => {
    const { balancer, servers } = await lab(socketFlag());
    await ctl(balancer, 'disable', 'b1');
    await ctl(balancer, 'weight', 'tftp/b0', '7');
    const [one = '', two = ''] = servers.map(placeOf);
    const table = await ctl(balancer, 'status');
    expect(table).toMatchObject({ code: 0, stderr: '' });
    const rows = table.stdout
      .trimEnd()
      .split('\n')
      .filter((line) => !line.startsWith('-'))
      .map((line) => line.split(/ {2,}/));
    expect(rows).toEqual([
      ['service', 'backend', 'address', 'state', 'health', 'weight', 'sessions'],
      ['tftp', 'b0', one, 'up', 'up', '7 (configured 1)', '0'],
      ['tftp', 'b1', two, 'disabled', 'up', '1', '0'],
    ]);
    const { code, stdout } = await ctl(balancer, 'status', '--json');
    const { uptime } = JSON.parse(stdout) as { uptime: number };
    expect([code, JSON.parse(stdout)]).toEqual([0, { ...(await balancer.status()), uptime }]);
    const order = await ctl(balancer, 'weight', 'b0', 'default', '--json');
    expect(JSON.parse(order.stdout)).toMatchObject([
      { service: 'tftp', changed: true, backend: { name: 'b0', weight: 1, configuredWeight: 1 } },
    ]);
  });

  test('that nobody can obey are refused, each in a line, and change nothing', async () => {
    const { balancer } = await lab(socketFlag());
    const cases = [
      [['drain', 'b7'], /^tftp-lb: there is no backend b7; did you mean b0\?$/m],
      [['weight', 'b0', '0'], /^tftp-lb: weight "0": expected a whole number from 1 to 256/],
      [['drian', 'b0'], /^tftp-lb: .*drian/],
    ] as const;
    for (const [args, said] of cases) {
      const exit = await ctl(balancer, ...args);
      expect([args, exit.code, exit.stdout]).toEqual([args, 2, '']);
      expect(exit.stderr).toMatch(said);
      expect(exit.stderr).toMatch(/^[^\n]+\n$/);
    }
    expect(balancer.lines().filter(({ event }) => event === 'backend.weight')).toEqual([]);
    expect((await balancer.status()).services[0]?.backends).toMatchObject([{ state: 'up' }, { state: 'up' }]);
  });

  test('need a balancer, and say so where there is none', async () => {
    const socket = path.join(temporaryFolder('ctl'), 'admin.sock');
    const missing = await runTftpLb(['ctl', 'status', `--admin-socket=${socket}`]);
    expect(missing).toMatchObject({ code: 1, stdout: '' });
    expect(missing.stderr).toMatch(
      /^tftp-lb: there is no admin socket at [^\n]*: is the balancer running\?[^\n]*\n$/,
    );
    const { balancer } = await lab(`--admin-socket=${socket}`);
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    balancer.program.signal('SIGKILL');
    await balancer.program.ended;
    const dead = await runTftpLb(['ctl', 'drain', 'b0', `--admin-socket=${socket}`]);
    expect(dead).toMatchObject({ code: 1, stdout: '' });
    expect(dead.stderr).toMatch(/^tftp-lb: nobody listens at the admin socket [^\n]* any more[^\n]*\n$/);
  });
});

describe('over TCP', () => {
  const folder = temporaryFolder('token');
  const [right = '', wrong = ''] = ['token', 'wrong'].map((name) => path.join(folder, name));
  let balancer: Balancer;
  let url: string;

  beforeAll(async () => {
    writeFileSync(right, `${token}\n`, { mode: 0o600 });
    writeFileSync(wrong, 'another-token-of-the-test\n', { mode: 0o600 });
    const places = ['192.0.2.11', '192.0.2.12'].map((address) => ({ address, port: 69 }));
    balancer = await startBalancer(places, {
      flags: [`--admin-token-file=${right}`, '--health-interval=0'],
    });
    const { address, port } = await balancer.said({ msg: 'admin endpoints listen' });
    url = `--url=http://${formatEndpoint(String(address), Number(port))}`;
  });

  test.each([
    ['without a token', undefined],
    ['with another token', wrong],
  ])('an order %s is refused', async (_what, tokenFile) => {
    const tokenFlag = tokenFile === undefined ? [] : [`--admin-token-file=${tokenFile}`];
    expect(await runTftpLb(['ctl', 'drain', 'b0', url, ...tokenFlag])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'tftp-lb: the bearer token is wrong, or missing\n',
    });
    expect(await balancer.backend('b0')).toMatchObject({ operator: 'enabled' });
  });

  test('an order with the token is obeyed, and the log does not tell the token', async () => {
    expect(await runTftpLb(['ctl', 'drain', 'b1', url, `--admin-token-file=${right}`])).toMatchObject({
      code: 0,
    });
    expect(await balancer.backend('b1')).toMatchObject({ operator: 'draining' });
    expect(balancer.program.stdout).not.toContain(token);
  });

  test('a token that is a secret is nothing to warn of', () => {
    expect(balancer.saidTimes({ level: 'warn', path: right })).toBe(0);
  });
});

describe('a token file', () => {
  test('that every user can read is warned of', async () => {
    const file = path.join(temporaryFolder('token'), 'token');
    writeFileSync(file, token);
    chmodSync(file, 0o644);
    const { balancer } = await lab(`--admin-token-file=${file}`);
    expect(await balancer.said({ level: 'warn', path: file })).toMatchObject({
      msg: 'every user of this machine can read the token of the admin endpoints',
    });
  });

  test('is read anew by a reload, so that the token can be changed', async () => {
    const tokenFile = path.join(temporaryFolder('token'), 'token');
    writeFileSync(tokenFile, token, { mode: 0o600 });
    const site = await ConfiguredBalancer.start(file('192.0.2.11'), [`--admin-token-file=${tokenFile}`]);
    const ask = (bearer: string): Promise<number> =>
      site.balancer
        .admin('/-/reload', { method: 'POST', headers: { authorization: `Bearer ${bearer}` } })
        .then(({ status }) => status);
    writeFileSync(tokenFile, 'a-newer-token-of-the-test');
    expect(await ask(token)).toBe(200);
    expect([await ask(token), await ask('a-newer-token-of-the-test')]).toEqual([401, 200]);
    writeFileSync(tokenFile, 'short');
    expect(await ask('a-newer-token-of-the-test')).toBe(422);
    expect(await ask('a-newer-token-of-the-test')).toBe(422);
  });
});

describe('a reload', () => {
  const backends = ['192.0.2.11,name=b0', '192.0.2.12,name=b1,weight=2'] as const;

  test('tells what it has changed, and every fault of a bad file, which changes nothing', async () => {
    const site = await ConfiguredBalancer.start(file(...backends), [socketFlag()]);
    const { balancer } = site;
    site.write(file(backends[0]));
    expect(await ctl(balancer, 'reload')).toMatchObject({
      code: 0,
      stdout: 'reloaded\n  service pxe: backends\n',
      stderr: '',
    });
    await balancer.said({ event: 'config.applied', by: 'alice, admin socket' });
    expect(await ctl(balancer, 'reload')).toMatchObject({ stdout: 'reloaded, nothing has changed\n' });
    site.write(file(...backends).replace('policy: round-robin', 'polciy: first, port: 70000'));
    const exit = await ctl(balancer, 'reload');
    expect(exit).toMatchObject({ code: 1, stdout: '' });
    const faults = exit.stderr.trimEnd().split('\n');
    expect(faults).toEqual([
      expect.stringMatching(/^tftp-lb: .*lab\.yaml:2:\d+: .*polciy/),
      expect.stringMatching(/^tftp-lb: .*lab\.yaml:2:\d+: .*port.*70000/),
    ]);
    expect((await balancer.status()).services[0]?.backends).toMatchObject([{ name: 'b0' }]);
    expect(await site.gauge('tftplb_config_last_reload_successful')).toBe(0);
  });

  test('leaves orders in force, but for a weight that the file changes and for servers that it takes out', async () => {
    const site = await ConfiguredBalancer.start(file(...backends), [socketFlag()]);
    const { balancer } = site;
    const shown = async (): Promise<string[]> =>
      (await balancer.status()).services.flatMap((service) =>
        service.backends.map(({ name, operator, weight }) => `${name} ${operator} ${weight}`),
      );
    await balancer.order('pxe/b0', 'drain');
    await balancer.order('pxe/b1', 'disable');
    await balancer.order('pxe/b0', 'weight?value=5');
    await balancer.order('pxe/b1', 'weight?value=9');
    await site.reload(file(...backends, '192.0.2.13'));
    expect(await shown()).toEqual(['b0 draining 5', 'b1 disabled 9', '192.0.2.13 enabled 1']);
    await site.reload(file(backends[0], '192.0.2.12,name=b1,weight=3'));
    expect(await shown()).toEqual(['b0 draining 5', 'b1 disabled 3']);
    await balancer.said({ event: 'backend.weight', backend: 'b1', from: 9, to: 3, by: 'the configuration' });
    await site.reload(file(backends[1]));
    await site.reload(file(...backends));
    expect(await shown()).toEqual(['b0 enabled 1', 'b1 disabled 2']);
  });
});
