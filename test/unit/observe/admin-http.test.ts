import { once } from 'node:events';
import type { Server } from 'node:http';
import { connect, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { closeServer, createAdminServer, text } from '../../../src/observe/admin-http.ts';

/** Bytes, more than the buffers of a connection hold. */
const large = 33_554_432;

const servers: Server[] = [];
const clients: Socket[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(servers.splice(0).map(closeServer));
});

async function serve(body: () => string): Promise<number> {
  const server = createAdminServer(async () => text(200, body()));
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function connections(): Promise<number> {
  const counts = servers.map((server) => promisify(server.getConnections.bind(server))());
  return (await Promise.all(counts)).reduce((sum, count) => sum + (count ?? 0), 0);
}

/** Sends and does not read yet. */
async function ask(port: number, request: string): Promise<Socket> {
  const client = connect(port, '127.0.0.1');
  clients.push(client);
  client.on('error', () => undefined);
  await once(client, 'connect');
  client.write(request);
  return client;
}

describe('the admin server', () => {
  it('answers one request of a connection, however many are sent ahead', async () => {
    const body = vi.fn(() => 'here it is\n');
    const client = await ask(await serve(body), 'GET / HTTP/1.1\r\nhost: test\r\n\r\n'.repeat(300));
    let answer = '';
    for await (const part of client) answer += String(part);
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer.match(/here it is/g)).toHaveLength(1);
    expect(body).toHaveBeenCalledOnce();
  });

  it('sends away who does not take the answer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const port = await serve(() => 'x'.repeat(large));
    const asked = servers.map((server) => once(server, 'request'));
    await ask(port, 'GET / HTTP/1.1\r\nhost: test\r\n\r\n');
    await Promise.all(asked);
    expect(await connections()).toBe(1);
    await vi.advanceTimersByTimeAsync(10_000);
    await expect.poll(connections).toBe(0);
  });
});
