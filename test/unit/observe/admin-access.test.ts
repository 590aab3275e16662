/** Who may change something, and who may not. */
import { describe, expect, it } from 'vitest';
import type { Access } from '../../../src/observe/admin-access.ts';
import { ask, NotingOperator, open, sourcesFor } from './admin-scene.ts';

const token = 'a-token-of-the-test';
const path = '/backends/tftp/one/drain';

async function attempt(
  access: Access,
  headers: Readonly<Record<string, string>>,
  target = path,
): Promise<{ status: number; body: string; challenge: unknown; isDone: boolean }> {
  const operator = new NotingOperator();
  let reloads = 0;
  operator.reload = async () => {
    reloads += 1;
    return { kind: 'applied', changes: [] };
  };
  const { port } = await open(sourcesFor(operator), access);
  const reply = await ask({ port }, target, { headers });
  return {
    status: reply.status,
    body: reply.body,
    challenge: reply.headers['www-authenticate'],
    isDone: operator.asked.length + reloads > 0,
  };
}

describe('without a token', () => {
  it.each([path, '/backends/tftp/one/weight?value=3', '/backends/nobody/nothing/enable', '/-/reload'])(
    'POST %s is forbidden, and what to do is said',
    async (target) => {
      const headers = { authorization: 'Bearer ', host: 'localhost' };
      const outcome = await attempt({ kind: 'read-only' }, headers, target);
      expect(outcome).toMatchObject({ status: 403, isDone: false });
      expect(outcome.body).toContain('--admin-token-file');
      expect(outcome.body).toContain('--admin-socket');
    },
  );
});

describe('with a token', () => {
  const access: Access = { kind: 'token', token };

  it.each([`Bearer ${token}`, `bearer ${token}`, `Bearer   ${token}`])(
    '%s is let in',
    async (authorization) => {
      expect(await attempt(access, { authorization })).toMatchObject({ status: 200, isDone: true });
    },
  );

  it.each([
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${token}x`,
    `Bearer ${token.slice(0, -1)}`,
    `Bearer ${token.toUpperCase()}`,
    `Basic ${token}`,
    token,
    `Bearer ${'x'.repeat(5000)}`,
  ])('%j is not', async (authorization) => {
    const outcome = await attempt(access, authorization === '' ? {} : { authorization });
    expect(outcome).toMatchObject({ status: 401, challenge: 'Bearer', isDone: false });
  });

  it('whoever asks by whatever name of a host needs it', async () => {
    expect(await attempt(access, { host: 'attacker.example' })).toMatchObject({ status: 401, isDone: false });
  });

  it.each([
    { origin: 'https://attacker.example' },
    { origin: 'null' },
    { origin: 'http://127.0.0.1:9069' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-origin' },
  ])('a browser is not let in even so: %j', async (headers) => {
    const outcome = await attempt(access, { ...headers, authorization: `Bearer ${token}` });
    expect(outcome).toMatchObject({ status: 403, isDone: false });
    expect(outcome.body).toContain('browser');
  });

  it('what only shows needs none', async () => {
    const { port } = await open(sourcesFor(), access);
    expect(await ask({ port }, '/status', { method: 'GET' })).toMatchObject({ status: 200 });
  });

  it('no answer lets a page of a stranger read it', async () => {
    const { port } = await open(sourcesFor(), access);
    const headers = { origin: 'https://attacker.example' };
    for (const method of ['GET', 'OPTIONS', 'POST']) {
      const reply = await ask({ port }, '/status', { method, headers });
      expect(Object.keys(reply.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});
