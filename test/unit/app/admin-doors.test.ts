/** Where operators come in, before and after a change of the configuration. */
import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { AdminDoors } from '../../../src/app/admin-doors.ts';
import type { AdminConfig } from '../../../src/config/config.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import { createLogger } from '../../../src/observe/log.ts';
import { temporaryFolder } from '../../helpers/folders.ts';
import { ask, type Place, sourcesFor } from '../observe/admin-scene.ts';

const nowhere: AdminConfig = { listen: undefined, socket: undefined, tokenFile: undefined };
const loopback = { address: '127.0.0.1', port: 0 };
const first = 'the-first-token-of-the-test';

function scene(defaultSocket?: string) {
  const clock = new VirtualClock();
  const lines: Readonly<Record<string, unknown>>[] = [];
  const write = (line: string): void => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger('info', { write });
  const doors = new AdminDoors({ sources: sourcesFor(), log, clock, defaultSocket });
  onTestFinished(() => doors.close());
  const take = async (config: Partial<AdminConfig>): Promise<void> => {
    const prepared = await doors.prepare({ ...nowhere, ...config });
    prepared.adopt();
  };
  const folder = temporaryFolder('doors');
  return { clock, lines, doors, take, place: (name: string): string => path.join(folder, name) };
}

/** Whether orders are obeyed there. */
async function statusAt(place: Place, token?: string): Promise<number> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return (await ask(place, '/backends/tftp/one/drain', { headers })).status;
}

it('the socket moves, and the old one answers for a moment', async () => {
  const { clock, take, place } = scene();
  const [one, two] = [place('one'), place('two')];
  await take({ socket: one });
  await take({ socket: two });
  expect(await statusAt({ socketPath: two })).toBe(200);
  expect(await statusAt({ socketPath: one })).toBe(200);
  clock.advance(1000);
  await expect.poll(() => existsSync(one)).toBe(false);
  await take({});
  clock.advance(1000);
  await expect.poll(() => existsSync(two)).toBe(false);
});

it('a socket that stays is not opened anew', async () => {
  const { take, place, lines } = scene();
  await take({ socket: place('one') });
  await take({ socket: place('one'), listen: loopback });
  expect(lines.filter(({ msg }) => msg === 'admin socket listens')).toHaveLength(1);
});

it('nothing has changed where one of them cannot be, or nobody wants it in the end', async () => {
  const { doors, take, place } = scene();
  await take({ socket: place('one') });
  const impossible = { ...nowhere, listen: { address: '203.0.113.7', port: 9069 }, socket: place('two') };
  await expect(doors.prepare(impossible)).rejects.toThrow('this host does not have the address');
  const wish = await doors.prepare({ ...nowhere, socket: place('two') });
  wish.cancel();
  await expect.poll(() => existsSync(place('two'))).toBe(false);
  expect(await statusAt({ socketPath: place('one') })).toBe(200);
});

it('a default socket that has no place is gone without, and looked for again', async () => {
  const runtime = path.join(temporaryFolder('run'), 'missing');
  const socketPath = path.join(runtime, 'tftp-lb', 'admin.sock');
  const { take, lines } = scene(socketPath);
  await take({ socket: 'auto' });
  expect(lines.at(-1)).toMatchObject({ level: 'info', reason: expect.stringContaining('ENOENT') });
  await expect(take({ socket: socketPath })).rejects.toThrow('the admin socket cannot be at');
  mkdirSync(runtime);
  await take({ socket: 'auto' });
  expect(lines.at(-1)).toMatchObject({ msg: 'admin socket listens', path: socketPath });
});

it('the token is that of the file when the configuration was last taken', async () => {
  const { doors, take, place } = scene();
  const tokenFile = place('token');
  writeFileSync(tokenFile, first, { mode: 0o600 });
  await take({ listen: loopback, tokenFile });
  const { port = 0 } = doors.tcp ?? {};
  writeFileSync(tokenFile, 'another-token-of-the-test');
  expect([await statusAt({ port }, first), await statusAt({ port })]).toEqual([200, 401]);
  await take({ listen: loopback, tokenFile });
  expect(await statusAt({ port }, first)).toBe(401);
  expect(await statusAt({ port }, 'another-token-of-the-test')).toBe(200);
  rmSync(tokenFile);
  await expect(take({ listen: loopback, tokenFile })).rejects.toThrow('cannot read --admin-token-file');
  expect(await statusAt({ port }, 'another-token-of-the-test')).toBe(200);
  await take({ listen: loopback });
  expect(await statusAt({ port }, 'another-token-of-the-test')).toBe(403);
});

it.each([
  [0o600, 0],
  [0o640, 0],
  [0o644, 1],
])('a token file of mode %o is warned of %i times', async (mode, times) => {
  const { take, place, lines } = scene();
  writeFileSync(place('token'), first);
  chmodSync(place('token'), mode);
  await take({ listen: loopback, tokenFile: place('token') });
  expect(lines.filter(({ level }) => level === 'warn')).toHaveLength(times);
});
