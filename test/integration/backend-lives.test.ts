/** What keeps a server from having its share, and what gives it back: on every engine. */
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type Balancer, startBalancer } from '../helpers/balancer.ts';
import { type EmbeddedServer, fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise, sha256, temporaryFolder } from '../helpers/folders.ts';
import { ProbeCommand } from '../helpers/probe-command.ts';
import { stopAll, until } from '../helpers/processes.ts';

const image = noise(5_000);
/** How long a check takes is not what is tried here. */
const often = ['--health-interval=100ms', '--health-timeout=10s'];

afterAll(stopAll);

function socketFlag(): string {
  return `--admin-socket=${path.join(temporaryFolder('lives'), 'admin.sock')}`;
}

/** Fetches the file so often, and waits until each transfer is in the log. Tells how many each server has had. */
async function sharesOf(balancer: Balancer, count: number): Promise<Readonly<Record<string, number>>> {
  const before = balancer.sessions().length;
  for (let n = 0; n < count; n += 1) {
    expect((await fetchFile(balancer.listener, 'image')).bytes).toEqual(image);
  }
  const sessions = (await balancer.ended(before + count)).slice(before);
  return Object.fromEntries(
    [...new Set(sessions.map(({ backend }) => backend))]
      .toSorted()
      .map((name) => [name, sessions.filter(({ backend }) => backend === name).length]),
  );
}

test('a disabled server is left alone: no requests, no health checks', async () => {
  const servers = [startEmbedded({ image }), startEmbedded({ image })];
  const balancer = await startBalancer(servers, { flags: [socketFlag(), '--health-interval=100ms'] });
  const checks = (at: number): number =>
    servers[at]?.requests.filter(({ file }) => file === 'tftp-lb-health').length ?? 0;
  await until('both are checked', () => (checks(0) > 2 && checks(1) > 2) || undefined);
  expect(await balancer.order('tftp/b1', 'disable')).toBe(200);
  const [other, own] = [checks(0), checks(1)];
  await until('the other one is checked', () => checks(0) > other + 5 || undefined);
  // One may have been on its way.
  expect(checks(1)).toBeLessThanOrEqual(own + 1);
  for (let n = 0; n < 4; n += 1) await fetchFile(balancer.listener, 'image');
  expect(servers[1]?.requests.filter(({ file }) => file === 'image')).toEqual([]);
  expect(await balancer.backend('b1')).toMatchObject({ state: 'disabled', up: true });
  expect(await balancer.order('tftp/b1', 'enable')).toBe(200);
  await until('it is checked again', () => checks(1) > own + 2 || undefined);
});

test('a server whose file is another one than expected has no transfers until it is the right one', async () => {
  const servers: [EmbeddedServer, EmbeddedServer] = [
    startEmbedded({ image, release: Buffer.from('1.1') }),
    startEmbedded({ image, release: Buffer.from('1.0') }),
  ];
  const expected = sha256(Buffer.from('1.1'));
  const balancer = await startBalancer(servers, {
    flags: [...often, '--health-file=release', `--health-sha256=${expected}`],
  });
  await balancer.said({ event: 'backend.state', backend: 'b1', to: 'down', reason: 'wrong-content' });
  expect(await balancer.backend('b1')).toMatchObject({ state: 'down', up: false });
  expect(await sharesOf(balancer, 4)).toEqual({ b0: 4 });
  servers[1].files.set('release', Buffer.from('1.1'));
  await balancer.said({ event: 'backend.state', backend: 'b1', to: 'up', reason: 'alive' });
  expect(await sharesOf(balancer, 4)).toEqual({ b0: 2, b1: 2 });
});

test('a command takes a server out, and lets it in again', async () => {
  const probe = new ProbeCommand('b1');
  const balancer = await startBalancer([startEmbedded({ image }), startEmbedded({ image })], {
    flags: [...often, probe.flag],
  });
  await balancer.said({ event: 'backend.state', backend: 'b1', to: 'down', reason: 'command-failed' });
  expect(await sharesOf(balancer, 4)).toEqual({ b0: 4 });
  probe.say('nobody');
  await balancer.said({ event: 'backend.state', backend: 'b1', to: 'up', reason: 'alive' });
  expect(await sharesOf(balancer, 4)).toEqual({ b0: 2, b1: 2 });
});

test('a server that comes back has an eighth of its share at first', async () => {
  const probe = new ProbeCommand('b0');
  const balancer = await startBalancer([startEmbedded({ image }), startEmbedded({ image })], {
    flags: [...often, probe.flag, '--slow-start=1h'],
  });
  await balancer.said({ event: 'backend.state', backend: 'b0', to: 'down' });
  probe.say('nobody');
  await balancer.said({ event: 'backend.state', backend: 'b0', to: 'up' });
  expect(await balancer.backend('b0')).toMatchObject({ state: 'warming', effectiveWeight: 0.125 });
  // An eighth of a share beside a whole one.
  await until('every worker knows its weight', async () => {
    const { b0, b1 } = await sharesOf(balancer, 18);
    return (b0 === 2 && b1 === 16) || undefined;
  });
});
