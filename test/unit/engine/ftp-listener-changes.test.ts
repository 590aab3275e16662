/** Snapshots that bring other listeners or services to an FTP engine that runs. */
import { describe, expect, it } from 'vitest';
import type { FtpService, Snapshot } from '../../../src/engine/snapshot.ts';
import { type FtpLab, useFtpLab } from '../../helpers/ftp-lab.ts';

const start = useFtpLab();
const at = (port: number, address = '10.0.0.1') => ({ address, port });

/** Puts these services in place of the lab's one. */
async function update(lab: FtpLab, ...changes: readonly Partial<FtpService>[]): Promise<void> {
  const snapshot: Snapshot = {
    version: 2,
    services: changes.flatMap((change) => lab.snapshot(change).services),
  };
  await lab.net.play(lab.engine.update(snapshot));
}

const places = (lab: FtpLab): string[] =>
  lab.engine.listening().map(({ service, endpoint }) => `${service} ${endpoint.address}:${endpoint.port}`);

describe('a listener', () => {
  it('that stays is not bound anew, and one that moves leaves its sessions alone', async () => {
    const { lab } = await start();
    const client = await lab.loggedIn();
    await update(lab, { listeners: [at(21), at(2121)] });
    await update(lab, { listeners: [at(2121)] });
    expect(lab.of('listener.up').map(({ listener }) => listener)).toEqual(['10.0.0.1:21', '10.0.0.1:2121']);
    expect(lab.of('listener.down')).toMatchObject([{ listener: '10.0.0.1:21' }]);
    expect(await client.ask('NOOP')).toBe('200 fine');
    expect(places(lab)).toEqual(['ftp 10.0.0.1:2121']);
  });

  it('that cannot be had is told of, and taken as soon as it can be', async () => {
    const { lab } = await start();
    const holder = await lab.net.play(
      lab.balancer.listenTcp(at(2121), { onConnection: () => undefined, onError: () => undefined }),
    );
    await update(lab, { listeners: [at(21), at(2121)] });
    expect(lab.of('listener.down')).toMatchObject([{ listener: '10.0.0.1:2121' }]);
    holder.close();
    await lab.pass(6000);
    expect(places(lab)).toEqual(['ftp 10.0.0.1:21', 'ftp 10.0.0.1:2121']);
  });

  it('that cannot be had and is not wanted any more is not tried again', async () => {
    const { lab } = await start();
    const holder = await lab.net.play(
      lab.balancer.listenTcp(at(2121), { onConnection: () => undefined, onError: () => undefined }),
    );
    await update(lab, { listeners: [at(21), at(2121)] });
    await update(lab, { listeners: [at(21)] });
    holder.close();
    await lab.pass(6000);
    expect(places(lab)).toEqual(['ftp 10.0.0.1:21']);
  });
});

describe('a service', () => {
  it('that comes serves, also where another one has just listened', async () => {
    const { lab } = await start();
    await update(lab, { listeners: [at(2121)] }, { name: 'other', listeners: [at(21)] });
    expect(places(lab)).toEqual(['ftp 10.0.0.1:2121', 'other 10.0.0.1:21']);
    await (await lab.client()).line();
    expect(lab.of('ftp.session.start').map(({ service }) => service)).toEqual(['other']);
  });

  it('that goes lets its sessions end by themselves, and takes no new ones', async () => {
    const { lab } = await start();
    const client = await lab.loggedIn();
    await update(lab);
    expect([places(lab), lab.active().reduce((sum, sessions) => sum + sessions, 0)]).toEqual([[], 1]);
    expect(await client.ask('NOOP')).toBe('200 fine');
    await expect(lab.client()).rejects.toThrow();
    expect(await client.ask('QUIT')).toBe('221 bye');
    await lab.pass(15_000);
    expect([lab.balancer.openSockets, lab.active()]).toEqual([0, [0, 0]]);
  });

  it('that has gone is told with all others when the engine stops', async () => {
    const { lab } = await start();
    const client = await lab.loggedIn();
    await update(lab);
    const stopped = lab.engine.stop();
    expect((await client.line()).slice(0, 3)).toBe('421');
    await lab.net.play(stopped);
  });
});
