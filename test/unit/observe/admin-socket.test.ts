import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type AdminSocket, startAdminSocket } from '../../../src/observe/admin-socket.ts';
import { temporaryFolder } from '../../helpers/folders.ts';
import { ask, NotingOperator, sourcesFor, status } from './admin-scene.ts';

async function open(place: string, operator = new NotingOperator()): Promise<AdminSocket> {
  const socket = await startAdminSocket(place, sourcesFor(operator));
  onTestFinished(() => socket.close());
  return socket;
}

const placeFor = (name: string): string => path.join(temporaryFolder('socket'), name);

function modeOf(place: string): number {
  return statSync(place).mode & 0o777;
}

/** What a process leaves behind that is killed. */
async function leaveBehind(place: string): Promise<void> {
  const script = `require('node:net').createServer().listen(${JSON.stringify(place)}, () => console.log('up'))`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(existsSync(place)).toBe(true);
}

describe('the admin socket', () => {
  it('shows what the endpoints show, and lets changes through without a token', async () => {
    const operator = new NotingOperator();
    const { path: socketPath } = await open(placeFor('admin.sock'), operator);
    const shown = await ask({ socketPath }, '/status', { method: 'GET' });
    expect([shown.status, JSON.parse(shown.body)]).toEqual([200, status]);
    expect(await ask({ socketPath }, '/backends/tftp/one/drain')).toMatchObject({ status: 200 });
    expect(operator.asked).toMatchObject([['tftp', 'one', { mode: 'draining' }, 'admin socket']]);
  });

  it('lets no page of a browser through that a proxy stands behind', async () => {
    const operator = new NotingOperator();
    const { path: socketPath } = await open(placeFor('admin.sock'), operator);
    const headers = { origin: 'https://attacker.example' };
    expect(await ask({ socketPath }, '/backends/tftp/one/drain', { headers })).toMatchObject({ status: 403 });
    expect(operator.asked).toEqual([]);
  });

  it('is for its user alone from its first moment on, in a folder that is, too', async () => {
    const place = placeFor('tftp-lb/admin.sock');
    const before = process.umask(0);
    onTestFinished(() => void process.umask(before));
    const starting = startAdminSocket(place, sourcesFor());
    const server = await starting;
    expect([modeOf(place), modeOf(path.dirname(place))]).toEqual([0o600, 0o700]);
    expect(process.umask()).toBe(0);
    await server.close();
  });

  it('is removed at the end, with every connection', async () => {
    const server = await open(placeFor('admin.sock'));
    await server.close();
    await server.close();
    expect(existsSync(server.path)).toBe(false);
  });

  it('takes the place of one that nobody listens at any more', async () => {
    const place = placeFor('admin.sock');
    await leaveBehind(place);
    await open(place);
    expect(await ask({ socketPath: place }, '/healthz', { method: 'GET' })).toMatchObject({ status: 200 });
  });

  it('does not take the place of one that lives, which goes on', async () => {
    const { path: socketPath } = await open(placeFor('admin.sock'));
    await expect(startAdminSocket(socketPath, sourcesFor())).rejects.toMatchObject({
      code: 'TLB_ERR_ADMIN',
      message: `the admin socket cannot be at ${socketPath}: another process listens there; choose another --admin-socket PATH, or --no-admin-socket`,
    });
    expect(await ask({ socketPath }, '/healthz', { method: 'GET' })).toMatchObject({ status: 200 });
  });

  it('takes whoever listens there for alive, of whatever program', async () => {
    const place = placeFor('admin.sock');
    const stopped = createServer(() => undefined);
    stopped.listen(place);
    await once(stopped, 'listening');
    onTestFinished(() => void stopped.close());
    await expect(startAdminSocket(place, sourcesFor())).rejects.toThrow('another process listens there');
  });

  it('does not remove what is no socket', async () => {
    const place = placeFor('file');
    writeFileSync(place, 'precious');
    await expect(startAdminSocket(place, sourcesFor())).rejects.toThrow('something else that is no socket');
    mkdirSync(`${place}-folder`);
    await expect(startAdminSocket(`${place}-folder`, sourcesFor())).rejects.toThrow('no socket');
    expect(existsSync(place)).toBe(true);
  });

  it.each([
    ['file/admin.sock', 'ENOTDIR'],
    ['no/such/folder/admin.sock', 'ENOENT'],
  ])('says why it cannot be at %s', async (name, code) => {
    const folder = temporaryFolder('socket');
    writeFileSync(path.join(folder, 'file'), '');
    await expect(startAdminSocket(path.join(folder, name), sourcesFor())).rejects.toMatchObject({
      code: 'TLB_ERR_ADMIN',
      message: expect.stringContaining(code),
    });
  });
});
