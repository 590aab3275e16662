import { describe, expect, test } from 'vitest';
import type { FoundBackend } from '../../../src/balance/pool.ts';
import type { SourceUpdate } from '../../../src/discovery/backend-source.ts';
import { type BackendSpec, DuplicateBackendError } from '../../../src/discovery/backend-spec.ts';
import { HostSource, type Resolver } from '../../../src/discovery/host-source.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import { NetError } from '../../../src/net/net.ts';
import { pass } from '../../helpers/virtual-time.ts';

const interval = 30_000;

function spec(host: string, changes: Partial<BackendSpec> = {}): BackendSpec {
  return { host, port: 69, weight: 1, ...changes };
}

/** Answers every lookup when its `answer` says so, and writes down what it was asked. */
class FakeResolver implements Resolver {
  readonly clock = new VirtualClock();
  readonly asked: string[] = [];
  readonly answers = new Map<string, () => string[] | Promise<string[]>>();

  async lookup(host: string): Promise<string[]> {
    this.asked.push(host);
    const answer = this.answers.get(host);
    if (!answer) throw new NetError('TLB_ERR_UNKNOWN_HOST', `cannot find the host "${host}"`);
    return answer();
  }

  setTimer(delay: number, callback: () => void): ReturnType<Resolver['setTimer']> {
    return this.clock.setTimer(delay, callback);
  }
}

interface Scene {
  readonly resolver: FakeResolver;
  readonly updates: SourceUpdate[];
  readonly controller: AbortController;
  readonly latest: () => readonly FoundBackend[];
}

async function watch(
  specs: readonly BackendSpec[],
  hosts: Readonly<Record<string, readonly string[]>> = {},
): Promise<Scene> {
  const resolver = new FakeResolver();
  for (const [host, addresses] of Object.entries(hosts)) resolver.answers.set(host, () => [...addresses]);
  const updates: SourceUpdate[] = [];
  const controller = new AbortController();
  const source = new HostSource(resolver, { backends: specs, interval });
  await source.watch((update) => updates.push(update), controller.signal);
  const latest = (): readonly FoundBackend[] =>
    updates.reduce<readonly FoundBackend[]>(
      (before, update) => (update.kind === 'backends' ? update.backends : before),
      [],
    );
  return { resolver, updates, controller, latest };
}

function briefly(backends: readonly FoundBackend[]): string[] {
  return backends.map(({ name, address, port, weight }) => `${name} = ${address} ${port} *${weight}`);
}

describe('what is found', () => {
  test('numeric addresses are themselves, in the spelling of sockets, and nobody is asked', async () => {
    const { resolver, latest } = await watch([
      spec('192.0.2.1', { port: 70, weight: 5 }),
      spec('2001:DB8::01'),
    ]);
    expect(briefly(latest())).toEqual(['192.0.2.1 = 192.0.2.1 70 *5', '2001:DB8::01 = 2001:db8::1 69 *1']);
    await pass(resolver.clock, interval * 3);
    expect([resolver.asked, resolver.clock.pendingTimers]).toEqual([[], 0]);
  });

  test('a name with one address is one backend under its own name', async () => {
    const { latest } = await watch([spec('a.test'), spec('b.test', { name: 'bee' })], {
      'a.test': ['192.0.2.1'],
      'b.test': ['192.0.2.2'],
    });
    expect(briefly(latest())).toEqual(['a.test = 192.0.2.1 69 *1', 'bee = 192.0.2.2 69 *1']);
  });

  test('a name with several addresses is as many backends, which share port and weight', async () => {
    const { latest } = await watch([spec('a.test', { name: 'rack', port: 70, weight: 3 })], {
      'a.test': ['2001:db8::9', '192.0.2.2', '192.0.2.1'],
    });
    expect(briefly(latest())).toEqual([
      'rack@192.0.2.1 = 192.0.2.1 70 *3',
      'rack@192.0.2.2 = 192.0.2.2 70 *3',
    ]);
  });

  test('backends that share a host ask for it once', async () => {
    const { resolver, latest } = await watch([spec('a.test', { port: 1 }), spec('a.test', { port: 2 })], {
      'a.test': ['192.0.2.1'],
    });
    expect(briefly(latest())).toEqual(['a.test:1 = 192.0.2.1 1 *1', 'a.test:2 = 192.0.2.1 2 *1']);
    expect(resolver.asked).toEqual(['a.test']);
  });
});

describe('at the start', () => {
  test('all names that cannot be resolved are reported at once', async () => {
    const started = watch([spec('x.test'), spec('a.test'), spec('y.test')], { 'a.test': ['192.0.2.1'] });
    await expect(started).rejects.toMatchObject({
      code: 'TLB_ERR_DISCOVERY',
      sources: ['x.test', 'y.test'],
      message: 'cannot find the host "x.test"; cannot find the host "y.test"',
      cause: expect.any(NetError),
    });
  });

  test('an abort is obeyed while a resolver is silent', async () => {
    const resolver = new FakeResolver();
    resolver.answers.set('a.test', () => new Promise(() => undefined));
    const controller = new AbortController();
    const source = new HostSource(resolver, { backends: [spec('a.test')], interval });
    const ready = source.watch(() => undefined, controller.signal);
    const reason = new Error('enough');
    controller.abort(reason);
    await expect(ready).rejects.toBe(reason);
    expect(resolver.clock.pendingTimers).toBe(0);
  });

  test('two backends of one name are refused', () => {
    const backends = [spec('a.test'), spec('a.test')];
    expect(() => new HostSource(new FakeResolver(), { backends, interval })).toThrow(DuplicateBackendError);
  });
});

describe('later', () => {
  test('names are resolved again after every interval', async () => {
    const { resolver } = await watch([spec('a.test')], { 'a.test': ['192.0.2.1'] });
    await pass(resolver.clock, interval - 1);
    expect(resolver.asked).toHaveLength(1);
    await pass(resolver.clock, 1);
    expect(resolver.asked).toHaveLength(2);
    await pass(resolver.clock, interval * 3);
    expect(resolver.asked).toHaveLength(5);
  });

  test('the same addresses in another order are no change', async () => {
    const { resolver, updates } = await watch([spec('a.test')], { 'a.test': ['192.0.2.1', '192.0.2.2'] });
    resolver.answers.set('a.test', () => ['192.0.2.2', '192.0.2.1']);
    await pass(resolver.clock, interval);
    expect(updates).toHaveLength(1);
  });

  test('a name that stops resolving keeps its last addresses while another one changes', async () => {
    const { resolver, updates, latest } = await watch([spec('a.test'), spec('b.test')], {
      'a.test': ['192.0.2.1'],
      'b.test': ['192.0.2.2'],
    });
    resolver.answers.delete('a.test');
    resolver.answers.set('b.test', () => ['192.0.2.3']);
    await pass(resolver.clock, interval);
    expect(updates).toContainEqual({ kind: 'failed', source: 'a.test', error: expect.any(NetError) });
    expect(briefly(latest())).toEqual(['a.test = 192.0.2.1 69 *1', 'b.test = 192.0.2.3 69 *1']);
  });

  test('a resolver that hangs for one name holds up no other, and is not asked for that name meanwhile', async () => {
    const { resolver, latest } = await watch([spec('a.test'), spec('b.test')], {
      'a.test': ['192.0.2.1'],
      'b.test': ['192.0.2.2'],
    });
    const hanging = Promise.withResolvers<string[]>();
    resolver.answers.set('a.test', () => hanging.promise);
    await pass(resolver.clock, interval);
    resolver.answers.set('b.test', () => ['192.0.2.4']);
    await pass(resolver.clock, interval * 2);
    expect(latest()[1]?.address).toBe('192.0.2.4');
    expect(resolver.asked.filter((host) => host === 'a.test')).toHaveLength(2);
    hanging.resolve(['192.0.2.5']);
    await pass(resolver.clock, 0);
    expect(latest()[0]?.address).toBe('192.0.2.5');
  });

  test('what a resolver says after the abort is not told', async () => {
    const { resolver, updates, controller } = await watch([spec('a.test')], { 'a.test': ['192.0.2.1'] });
    const hanging = Promise.withResolvers<string[]>();
    resolver.answers.set('a.test', () => hanging.promise);
    await pass(resolver.clock, interval);
    controller.abort();
    hanging.resolve(['192.0.2.5']);
    await pass(resolver.clock, interval);
    expect([updates.length, resolver.clock.pendingTimers]).toEqual([1, 0]);
  });
});
