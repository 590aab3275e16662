import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { type AdminServer, type AdminSources, startAdmin } from '../../../src/observe/admin.ts';
import type { Readiness } from '../../../src/observe/status.ts';
import { ready, sourcesFor, status } from './admin-scene.ts';

const notReady: Readiness = {
  ready: false,
  reasons: ['draining'],
  services: [{ service: 'tftp', ready: false, reasons: ['all 2 backends are down or disabled'] }],
};

const servers: AdminServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

const sources = sourcesFor();
const readOnly = () => ({ kind: 'read-only' }) as const;

async function refuse(): Promise<never> {
  throw new Error('no metrics today');
}

async function start(changed: Partial<AdminSources> = {}): Promise<AdminServer> {
  const server = await startAdmin({ address: '127.0.0.1', port: 0 }, { ...sources, ...changed }, readOnly);
  servers.push(server);
  return server;
}

const urlOf = ({ address, port }: AdminServer, path: string): string => `http://${address}:${port}${path}`;

describe('the admin endpoints', () => {
  it('say that the process lives', async () => {
    const response = await fetch(urlOf(await start(), '/healthz'));
    expect([response.status, await response.text()]).toEqual([200, 'ok\n']);
  });

  it('say that it can serve, with the services', async () => {
    const response = await fetch(urlOf(await start(), '/readyz'));
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect([response.status, await response.json()]).toEqual([200, ready]);
  });

  it('say that it cannot, with the reasons, while it goes on to live', async () => {
    const server = await start({ status: { readiness: () => notReady, status: () => status } });
    const response = await fetch(urlOf(server, '/readyz'));
    expect([response.status, await response.json()]).toEqual([503, notReady]);
    expect((await fetch(urlOf(server, '/healthz'))).status).toBe(200);
  });

  it('show the status', async () => {
    const response = await fetch(urlOf(await start(), '/status'));
    expect([response.status, await response.json()]).toEqual([200, status]);
  });

  it('show the metrics in the form that they come in', async () => {
    const response = await fetch(urlOf(await start(), '/metrics?name=up'));
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect([response.status, await response.text()]).toEqual([200, 'up 1\n']);
  });

  it('answer HEAD with the head alone', async () => {
    const response = await fetch(urlOf(await start(), '/healthz'), { method: 'HEAD' });
    expect([response.status, response.headers.get('content-length'), await response.text()]).toEqual([
      200,
      '3',
      '',
    ]);
  });

  it.each(['/', '/status/', '/-/reload/', '//', '/metrics/../status%00'])('do not know %s', async (path) => {
    const server = await start();
    expect(await rawStatus(server, `GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)).toBe(404);
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuse %s', async (method) => {
    const response = await fetch(urlOf(await start(), '/status'), { method });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('survive a request that is none', async () => {
    const server = await start();
    expect(await rawStatus(server, 'RRQ\0\r\n\r\n')).toBe(400);
    expect((await fetch(urlOf(server, '/healthz'))).status).toBe(200);
  });

  it('say that something is broken instead of breaking', async () => {
    const response = await fetch(urlOf(await start({ metrics: { render: refuse } }), '/metrics'));
    expect([response.status, await response.text()]).toEqual([500, 'no metrics today\n']);
  });
});

describe('the admin listener', () => {
  it('says in one line that its address is taken, and what to do', async () => {
    const { address, port } = await start();
    const second = startAdmin({ address, port }, sources, readOnly);
    await expect(second).rejects.toMatchObject({
      code: 'TLB_ERR_ADMIN',
      message: `the admin endpoints cannot listen on 127.0.0.1:${port}: another program listens there; choose another --admin ADDR:PORT, or --no-admin`,
    });
  });

  it('closes at once, though a connection is open and a request half sent', async () => {
    const server = await start();
    const socket = connect(server.port, server.address);
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.on('error', () => undefined);
    await new Promise<void>((resolve) => socket.write('GET /healthz HTTP/1.1\r\n', () => resolve()));
    await server.close();
    await server.close();
    await closed;
    await expect(fetch(urlOf(server, '/healthz'))).rejects.toThrow('fetch failed');
  });
});

/** The status code of the answer to these very bytes. */
async function rawStatus({ address, port }: AdminServer, request: string): Promise<number> {
  const socket = connect(port, address);
  socket.end(request);
  let text = '';
  for await (const chunk of socket.setEncoding('latin1')) text += String(chunk);
  return Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1]);
}
