import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../helpers/folders.ts';
import { AppScene, fileOf, service, vip } from './app-scene.ts';

const one = fileOf([service('pxe', '10.0.0.1')]);

async function started(file = one): Promise<AppScene> {
  return new AppScene(file).start();
}

const placesOf = (scene: AppScene, name = 'pxe'): string[] =>
  scene.app.listening(name).map(({ address, port }) => `${address}:${port}`);

const healthAt = (port: number): Promise<Response> => fetch(`http://127.0.0.1:${port}/healthz`);

/** A service of FTP with a log of transfers. */
const ftp = (xferlog: string): string =>
  fileOf([
    `  ftp: { protocol: ftp, listeners: [${vip}], health: { interval: 0 }, backends: [10.0.0.1], ftp: { xferlog: ${xferlog} } }\n`,
  ]);

describe('a reload of backends', () => {
  it('lets sessions of a removed one end there, and gives it no new ones', async () => {
    const scene = await started();
    const [old, young] = [scene.server(1), scene.server(2)];
    const client = await scene.begin(old);
    expect(await scene.reload(fileOf([service('pxe', '10.0.0.2')]))).toEqual({
      kind: 'applied',
      changes: ['service pxe: backends'],
    });
    await scene.ask();
    expect([old.asked, young.asked]).toEqual([1, 1]);
    await scene.finish(client, old);
    expect(scene.of('session.end')).toMatchObject([{ backend: '10.0.0.1', result: 'ok' }]);
    expect(scene.of('backend.state').map(({ backend, to }) => `${backend} ${to}`)).toEqual([
      '10.0.0.1 added',
      '10.0.0.1 removed',
      '10.0.0.2 added',
    ]);
  });

  it('counts other weights at once', async () => {
    const scene = await started(fileOf([service('pxe', '10.0.0.1, 10.0.0.2')]));
    const servers = [scene.server(1), scene.server(2)];
    for (let n = 0; n < 4; n += 1) await scene.ask();
    expect(servers.map(({ asked }) => asked)).toEqual([2, 2]);
    await scene.reload(fileOf([service('pxe', '"10.0.0.1,weight=3", 10.0.0.2')]));
    for (let n = 0; n < 8; n += 1) await scene.ask();
    expect(servers.map(({ asked }) => asked)).toEqual([8, 4]);
  });

  it('keeps what checks have found', async () => {
    const checked = service('pxe', '10.0.0.1, 10.0.0.2').replace('interval: 0', 'interval: 1s, fall: 1');
    const scene = await started(fileOf([checked]));
    await scene.settle();
    const up = (): boolean[] => scene.app.status().services[0]?.backends.map((backend) => backend.up) ?? [];
    expect(up()).toEqual([false, false]);
    await scene.reload(fileOf([checked.replace('fall: 1', 'fall: 2')]));
    await scene.reload(fileOf([checked.replace('10.0.0.2', '10.0.0.3')]));
    expect(up()[0]).toBe(false);
    const states = scene.of('backend.state').filter(({ backend }) => backend === '10.0.0.1');
    expect(states.map(({ to }) => to)).toEqual(['added', 'down']);
  });

  it('waits for names, and is refused where one cannot be found', async () => {
    const scene = await started();
    scene.net.names.set('files.example', ['10.0.0.2']);
    expect(await scene.reload(fileOf([service('pxe', 'files.example')]))).toMatchObject({ kind: 'applied' });
    expect(scene.app.status().services[0]?.backends).toMatchObject([
      { name: 'files.example', address: '10.0.0.2' },
    ]);
    expect(await scene.reload(fileOf([service('pxe', 'nowhere.example')]))).toMatchObject({
      kind: 'refused',
      faults: [expect.stringContaining('nowhere.example')],
    });
    expect(scene.app.status().services[0]?.backends).toMatchObject([{ name: 'files.example' }]);
  });

  it('is refused where one turns out to be the balancer itself', async () => {
    const scene = await started();
    scene.net.names.set('self.example', [vip]);
    expect(await scene.reload(fileOf([service('pxe', 'self.example')]))).toMatchObject({
      kind: 'refused',
      faults: [expect.stringContaining('the balancer itself')],
    });
  });
});

describe('a reload of rules', () => {
  it('counts from the next session on', async () => {
    const scene = await started();
    const server = scene.server(1);
    const client = await scene.begin(server);
    await scene.reload(fileOf([service('pxe', '10.0.0.1', 'limits: { max-sessions: 1 }')]));
    await scene.ask();
    expect(scene.of('session.reject')).toMatchObject([{ reason: 'max-sessions' }]);
    await scene.finish(client, server);
    await scene.ask();
    expect(server.asked).toBe(2);
  });
});

describe('a reload of services', () => {
  it('brings some, ends others, and lets the sessions of those end', async () => {
    const scene = await started();
    const server = scene.server(1);
    const client = await scene.begin(server);
    const outcome = await scene.reload(fileOf([service('boot', '10.0.0.1', 'port: 70')]));
    expect(outcome).toEqual({ kind: 'applied', changes: ['service pxe removed', 'service boot added'] });
    expect([placesOf(scene), placesOf(scene, 'boot')]).toEqual([[], [`${vip}:70`]]);
    expect(scene.app.status().services.map(({ name }) => name)).toEqual(['boot']);
    await scene.ask(70);
    await scene.ask();
    expect(server.asked).toBe(2);
    await scene.finish(client, server);
    expect(scene.of('session.end')).toMatchObject([{ service: 'pxe', result: 'ok' }]);
  });

  it('may give one the name, the listener and the backends of another one', async () => {
    const scene = await started(fileOf([service('a', '10.0.0.1'), service('b', '10.0.0.2', 'port: 70')]));
    const servers = [scene.server(1), scene.server(2)];
    await scene.reload(fileOf([service('b', '10.0.0.1'), service('c', '10.0.0.2', 'port: 70')]));
    expect([placesOf(scene, 'b'), placesOf(scene, 'c')]).toEqual([[`${vip}:69`], [`${vip}:70`]]);
    await scene.ask();
    await scene.ask(70);
    expect(servers.map(({ asked }) => asked)).toEqual([1, 1]);
  });

  it('is waited for by a drain, while sessions of those that are gone run', async () => {
    const scene = await started();
    const server = scene.server(1);
    const client = await scene.begin(server);
    await scene.reload(fileOf([service('boot', '10.0.0.2', 'port: 70')]));
    const drained = scene.app.drain(new AbortController().signal);
    await scene.finish(client, server);
    expect(await scene.play(drained)).toBe('drained');
  });

  it('goes on for as long as one likes', async () => {
    const scene = await started();
    for (let n = 0; n < 300; n += 1) {
      const outcome = await scene.reload(fileOf([service(`s${n}`, '10.0.0.1')]));
      expect(outcome).toMatchObject({ kind: 'applied' });
    }
    expect(placesOf(scene, 's299')).toEqual([`${vip}:69`]);
    expect(scene.host.openSockets).toBe(1);
  });
});

describe('a reload of listeners', () => {
  it('opens what is new and leaves alone what stays', async () => {
    const scene = await started();
    await scene.reload(fileOf([service('pxe', '10.0.0.1').replace(`[${vip}]`, `[${vip}, "192.0.2.2:70"]`)]));
    expect(placesOf(scene)).toEqual([`${vip}:69`, '192.0.2.2:70']);
    expect(scene.of('listener.up')).toHaveLength(2);
    expect(scene.of('listener.down')).toEqual([]);
  });

  it('changes nothing at all where one cannot be had', async () => {
    const scene = await started();
    const holder = scene.host.bindUdp(
      { address: vip, port: 70 },
      { onDatagram: () => undefined, onError: () => undefined },
    );
    const before = scene.app.status();
    const wanted = [service('pxe', '10.0.0.2', 'policy: first'), service('boot', '10.0.0.3', 'port: 70')];
    expect(await scene.reload(fileOf(wanted))).toEqual({
      kind: 'refused',
      faults: [expect.stringContaining('port 70')],
    });
    expect(scene.app.status().services).toEqual(before.services);
    expect(scene.lines.at(-1)).toMatchObject({
      level: 'error',
      event: 'config.refused',
      faults: [expect.any(String)],
    });
    holder.close();
    expect(await scene.reload(fileOf(wanted))).toMatchObject({ kind: 'applied' });
  });
});

describe('a bad file', () => {
  it('leaves everything as it was, with all faults in the log and a gauge', async () => {
    const admin = 'admin: { listen: "127.0.0.1:0", socket: false }\n';
    const scene = await started(fileOf([service('pxe', '10.0.0.1')], admin));
    const good = await scene.metrics();
    expect(good.get('tftplb_config_last_reload_successful')).toBe(1);
    const since = good.get('tftplb_config_last_reload_success_timestamp_seconds') ?? 0;
    expect(Math.abs(Date.now() / 1000 - since)).toBeLessThan(60);
    const outcome = await scene.reload(
      fileOf([service('pxe', '10.0.0.1, 10.0.0.1', 'polciy: first')], admin),
    );
    expect(outcome).toMatchObject({
      kind: 'refused',
      faults: [expect.stringContaining('another name'), expect.stringContaining('did you mean policy')],
    });
    expect(scene.lines.at(-1)).toMatchObject({
      level: 'error',
      event: 'config.refused',
      faults: outcome.kind === 'refused' ? outcome.faults : [],
    });
    const bad = await scene.metrics();
    expect(bad.get('tftplb_config_last_reload_successful')).toBe(0);
    expect(bad.get('tftplb_config_last_reload_success_timestamp_seconds')).toBe(since);
    await scene.reload(fileOf([service('pxe', '10.0.0.1')], admin));
    expect((await scene.metrics()).get('tftplb_config_last_reload_successful')).toBe(1);
  });

  it('is one that wants what cannot change', async () => {
    const scene = await started();
    expect(await scene.reload(`${one}workers: 7\n`)).toEqual({
      kind: 'refused',
      faults: ['workers cannot change from auto to 7 without a restart'],
    });
  });
});

describe('a reload of what is beside services', () => {
  it('moves the admin endpoints, and the old ones still answer whoever has asked', async () => {
    const admin = 'admin: { listen: "127.0.0.1:0", socket: false }\n';
    const scene = await started(fileOf([service('pxe', '10.0.0.1')], admin));
    const { port: before = 0 } = scene.app.admin ?? {};
    await scene.reload(fileOf([service('pxe', '10.0.0.1')], 'admin: { listen: "[::1]:0", socket: false }\n'));
    expect(scene.app.admin?.address).toBe('::1');
    expect((await healthAt(before)).status).toBe(200);
    scene.net.advance(1000);
    await expect.poll(() => healthAt(before).catch(() => 'gone')).toBe('gone');
    await scene.reload(one);
    expect(scene.app.admin).toBeUndefined();
  });

  it('is refused where they cannot be', async () => {
    const scene = await started();
    const file = fileOf(
      [service('pxe', '10.0.0.1')],
      'admin: { listen: "203.0.113.7:9069", socket: false }\n',
    );
    expect(await scene.reload(file)).toMatchObject({
      kind: 'refused',
      faults: [expect.stringContaining('this host does not have the address')],
    });
  });

  it('changes the level of the log', async () => {
    const scene = await started();
    await scene.reload(`${one}log: { level: debug }\n`);
    const server = scene.server(1);
    await scene.begin(server);
    await scene.reload(`${one}log: { level: silent }\n`);
    const lines = scene.lines.length;
    await scene.reload(`${one}log: { level: silent }\n`);
    expect(scene.lines).toHaveLength(lines);
  });

  it('opens other logs of transfers, and is refused where one cannot be written', async () => {
    const folder = temporaryFolder('xferlog');
    const [one, two] = [path.join(folder, 'one'), path.join(folder, 'two')];
    const scene = await started(ftp(one));
    expect(await scene.reload(ftp(path.join(folder, 'none', 'x')))).toMatchObject({
      kind: 'refused',
      faults: [expect.stringContaining('cannot write the xferlog')],
    });
    expect(await scene.reload(ftp(two))).toMatchObject({ kind: 'applied' });
    expect(readFileSync(two, 'utf8')).toBe('');
  });

  it('reads the password of checks anew', async () => {
    const file = path.join(temporaryFolder('password'), 'password');
    writeFileSync(file, 'secret');
    const text = fileOf([
      `  ftp: { protocol: ftp, listeners: [${vip}], backends: [10.0.0.1], health: { interval: 0, user: u, password-file: ${file} } }\n`,
    ]);
    const scene = await started(text);
    writeFileSync(`${file}.moved`, '');
    mkdirSync(`${file}.d`);
    expect(await scene.reload(text.replace(file, `${file}.d`))).toMatchObject({
      kind: 'refused',
      faults: [expect.stringContaining('cannot read the password')],
    });
  });
});

describe('reloads', () => {
  it('that come together follow each other, and the last one counts', async () => {
    const scene = await started();
    const ports = [70, 71, 72];
    const outcomes = ports.map((port) => {
      scene.file = fileOf([service('pxe', '10.0.0.1', `port: ${port}`)]);
      return scene.app.reload();
    });
    expect(await scene.play(Promise.all(outcomes))).toHaveLength(3);
    expect(placesOf(scene)).toEqual([`${vip}:72`]);
  });

  it('that are asked for before the start is over wait for it', async () => {
    const scene = new AppScene(one);
    const begun = scene.app.start();
    scene.file = fileOf([service('pxe', '10.0.0.1', 'port: 70')]);
    const reloaded = scene.app.reload();
    await scene.play(begun);
    expect(await scene.play(reloaded)).toMatchObject({ kind: 'applied' });
    expect(placesOf(scene)).toEqual([`${vip}:70`]);
  });

  it('are refused when the balancer is about to end, also in the middle of one', async () => {
    const scene = await started();
    scene.net.names.set('files.example', ['10.0.0.2']);
    scene.file = fileOf([service('pxe', 'files.example')]);
    const reloaded = scene.app.reload();
    void scene.app.drain(new AbortController().signal);
    const refused = { kind: 'refused', faults: ['the balancer is about to end'] };
    expect(await scene.play(reloaded)).toEqual(refused);
    expect(await scene.reload(one)).toEqual(refused);
  });
});

describe('series of metrics', () => {
  it('come and go with services and backends, and stay while sessions run', async () => {
    const admin = 'admin: { listen: "127.0.0.1:0", socket: false }\n';
    const scene = await started(fileOf([service('pxe', '10.0.0.1')], admin));
    const server = scene.server(1);
    const client = await scene.begin(server);
    const named = async (name: string): Promise<number> =>
      [...(await scene.metrics()).keys()].filter((series) => series.includes(`"${name}"`)).length;
    await scene.reload(fileOf([service('boot', '10.0.0.2', 'port: 70')], admin));
    expect(await named('boot')).toBeGreaterThan(10);
    expect(await named('pxe')).toBeGreaterThan(0);
    await scene.finish(client, server);
    scene.net.advance(60_000);
    expect([await named('pxe'), await named('10.0.0.1')]).toEqual([0, 0]);
  });
});
