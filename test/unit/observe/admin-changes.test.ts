import { describe, expect, it, test } from 'vitest';
import { ask, NotingOperator, open, sourcesFor } from './admin-scene.ts';
import type { Operator } from '../../../src/observe/operator.ts';

const token = 'correct horse battery'.replaceAll(' ', '-');

async function scene(reload?: Operator['reload']) {
  const operator = new NotingOperator();
  if (reload) operator.reload = reload;
  const { port } = await open(sourcesFor(operator), { kind: 'token', token });
  const post = (path: string, headers: Record<string, string> = {}, body = '') =>
    ask({ port }, path, { headers: { authorization: `Bearer ${token}`, ...headers }, body });
  return { operator, port, post };
}

describe('an order', () => {
  it.each([
    ['drain', { kind: 'mode', mode: 'draining' }],
    ['enable', { kind: 'mode', mode: 'enabled' }],
    ['disable', { kind: 'mode', mode: 'disabled' }],
    ['weight?value=1', { kind: 'weight', weight: 1 }],
    ['weight?value=256', { kind: 'weight', weight: 256 }],
    ['weight?value=default', { kind: 'weight', weight: undefined }],
  ])('%s is handed on, and answered with the backend', async (end, order) => {
    const { operator, post } = await scene();
    const { status, headers, body } = await post(`/backends/tftp/one/${end}`);
    expect(operator.asked).toEqual([
      ['tftp', 'one', order, expect.stringMatching(/^127\.0\.0\.1 port \d+$/)],
    ]);
    expect([status, headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
    expect(JSON.parse(body)).toMatchObject({
      service: 'tftp',
      changed: true,
      backend: { name: 'one', state: 'up' },
    });
  });

  it('names its backend as URLs do', async () => {
    const { operator, post } = await scene();
    await post(`/backends/tftp/${encodeURIComponent('[2001:db8::11]:69')}/drain`);
    expect(operator.asked).toEqual([['tftp', '[2001:db8::11]:69', expect.anything(), expect.anything()]]);
  });

  it('tells who uses the client, if it says so', async () => {
    const { operator, post } = await scene();
    const name = Buffer.from('Žofie').toString('latin1');
    await post('/backends/tftp/one/drain', { 'x-tftp-lb-user': name });
    await post('/backends/tftp/one/drain', { 'x-tftp-lb-user': 'x'.repeat(1000) });
    expect(operator.asked.map(([, , , by]) => String(by).split(', ', 1)[0])).toEqual([name, 'x'.repeat(64)]);
  });

  it.each([
    ['/backends/ftp/one/drain', 404, 'there is no service ftp; there are tftp\n'],
    ['/backends/tftp/two/drain', 404, /^service tftp has no backend two; it has b0, .*, b19, and 10 more\n$/],
    ['/backends/tftp/one%zz/drain', 400, /percent sign/],
    ['/backends/tftp/one/weight', 400, /expected \?value=N/],
    ['/backends/tftp/one/weight?value=0', 400, /from 1 to 256/],
    ['/backends/tftp/one/weight?value=257', 400, /from 1 to 256/],
    ['/backends/tftp/one/weight?value=1.5', 400, /from 1 to 256/],
    ['/backends/tftp/one/weight?value=-1', 400, /from 1 to 256/],
    ['/backends/tftp/one/weight?value=', 400, /from 1 to 256/],
    ['/backends/tftp/one/remove', 404, /POST \/backends\/SERVICE\/BACKEND\/drain/],
    ['/backends/tftp/one', 404, /not found/],
    ['/backends/tftp/one/drain/', 404, /not found/],
  ])('%s is refused: %i', async (path, status, said) => {
    const { operator, post } = await scene();
    const reply = await post(path);
    expect(reply.status).toBe(status);
    expect(reply.body).toMatch(said);
    expect(operator.asked).toEqual([]);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'])('by %s is none', async (method) => {
    const { operator, port } = await scene();
    const headers = { authorization: `Bearer ${token}` };
    const reply = await ask({ port }, '/backends/tftp/one/drain', { method, headers });
    expect([reply.status, reply.headers['allow'], operator.asked]).toEqual([405, 'POST', []]);
  });

  it.each([1, 100, 1_000_000])(
    'with a body of %i bytes is refused, and the connection ends',
    async (size) => {
      const { operator, post } = await scene();
      const reply = await post('/backends/tftp/one/drain', {}, 'x'.repeat(size)).catch(() => undefined);
      // Who is still sending may only see that the connection is gone.
      if (reply) expect([reply.status, reply.headers['connection']]).toEqual([400, 'close']);
      else expect(size).toBe(1_000_000);
      expect(operator.asked).toEqual([]);
    },
  );
});

describe('a reload', () => {
  test('is asked for, and its changes are told', async () => {
    const asked: string[] = [];
    const { post } = await scene(async (by) => {
      asked.push(by);
      return { kind: 'applied', changes: ['log'] };
    });
    const reply = await post('/-/reload', { 'x-tftp-lb-user': 'alice' });
    expect([reply.status, JSON.parse(reply.body)]).toEqual([200, { reloaded: true, changes: ['log'] }]);
    expect(asked).toEqual([expect.stringMatching(/^alice, 127\.0\.0\.1 port \d+$/)]);
  });

  test('that is refused is answered with every fault', async () => {
    const faults = ['line 3: no', 'line 7: no'];
    const { post } = await scene(async () => ({ kind: 'refused', faults }));
    const reply = await post('/-/reload');
    expect([reply.status, JSON.parse(reply.body)]).toEqual([422, { reloaded: false, faults }]);
  });

  test('that breaks is said to have broken', async () => {
    const { post } = await scene(() => Promise.reject(new Error('cannot read')));
    expect(await post('/-/reload')).toMatchObject({ status: 500, body: 'cannot read\n' });
  });
});

/** At a socket, where whoever asks may do anything. */
async function socketScene(outcome: ReturnType<Operator['handOver']>) {
  const operator = new NotingOperator();
  const asked: string[] = [];
  operator.handOver = (path, by) => {
    asked.push(`${path} ${by}`);
    return outcome;
  };
  const { port } = await open(sourcesFor(operator), { kind: 'socket' });
  return { asked, post: (path: string) => ask({ port }, path, { body: '' }) };
}

describe('a takeover', () => {
  it('begins with whoever listens at the path', async () => {
    const { asked, post } = await socketScene({ kind: 'begun', pid: 42 });
    const { status, body } = await post('/-/takeover?path=%2Frun%2Fa%20b%2Fsocket');
    expect([status, JSON.parse(body)]).toEqual([200, { begun: true, pid: 42 }]);
    expect(asked).toEqual(['/run/a b/socket admin socket']);
  });

  it('says what is in the way', async () => {
    const { post } = await socketScene({ kind: 'refused', reason: 'the balancer is about to end' });
    expect(await post('/-/takeover?path=/a')).toMatchObject({
      status: 409,
      body: 'the balancer is about to end\n',
    });
  });

  it('needs an absolute path', async () => {
    const { asked, post } = await socketScene({ kind: 'begun', pid: 42 });
    for (const query of ['', '?path=', '?path=a/b']) {
      expect(await post(`/-/takeover${query}`)).toMatchObject({ status: 400 });
    }
    expect(asked).toEqual([]);
  });

  it('is none of those who come over TCP, even with the token', async () => {
    const { post } = await scene();
    expect(await post('/-/takeover?path=/a')).toMatchObject({
      status: 403,
      body: 'only over the admin socket\n',
    });
  });
});
