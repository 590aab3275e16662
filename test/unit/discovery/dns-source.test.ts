import type { Answer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { DiscoveryError, type SourceUpdate } from '../../../src/discovery/backend-source.ts';
import { DnsSource, type DnsSourceOptions } from '../../../src/discovery/dns-source.ts';
import { a, reply, type Respond, srv } from '../../helpers/dns-server.ts';
import { pass } from '../../helpers/virtual-time.ts';
import { dnsScene, type DnsScene, name, says, silent } from './dns-scene.ts';

const minute = 60_000;
const options: DnsSourceOptions = {
  name,
  records: 'address',
  port: 69,
  family: 4,
  servers: [{ address: '10.0.0.1', port: 53 }],
  minInterval: 5_000,
  maxInterval: 10 * minute,
  emptyGrace: minute,
};
const noFiles = { read: (): Promise<string> => Promise.reject(new Error('not asked for')) };

interface SourceScene extends DnsScene {
  readonly updates: SourceUpdate[];
  readonly controller: AbortController;
  /** Moments at which the server was asked, in milliseconds from the first. */
  readonly asked: () => number[];
  readonly become: (respond: Respond) => void;
  /** Addresses of the set that was told last. */
  readonly latest: () => string[] | undefined;
}

function answers(...records: readonly Answer[]): Respond {
  return (query) => [reply(query, { answers: [...records] })];
}

/** A source that is watched, with a server that responds so. */
async function watch(respond: Respond, changes: Partial<DnsSourceOptions> = {}): Promise<SourceScene> {
  const scene = dnsScene([silent]);
  const { memory, client } = scene;
  const updates: SourceUpdate[] = [];
  const moments: number[] = [];
  const become = (respond: Respond): void => {
    const [server] = scene.servers;
    if (server) server.respond = (query) => (moments.push(memory.now()), respond(query));
  };
  become(respond);
  const controller = new AbortController();
  const source = new DnsSource({ net: client, files: noFiles }, { ...options, ...changes });
  await memory.play(source.watch((update) => updates.push(update), controller.signal));
  const latest = (): string[] | undefined =>
    updates.findLast((update) => update.kind === 'backends')?.backends.map(({ address }) => address);
  const asked = (): number[] => moments.map((at) => at - (moments[0] ?? 0));
  return { ...scene, updates, controller, asked, become, latest };
}

/** Milliseconds between looks at records that hold for `ttl` seconds. */
async function gaps(ttl: number, duration: number): Promise<number[]> {
  const { memory, asked } = await watch(answers(a(name, '192.0.2.1', ttl)));
  await pass(memory, duration);
  const moments = asked();
  return moments.slice(1).map((at, before) => at - (moments[before] ?? 0));
}

describe('the time to live', () => {
  test.each([
    ['says when to look again', 120, 2 * minute],
    ['of nothing gives way to the least', 0, 5_000],
    ['below the least gives way to it', 3, 5_000],
    ['is the least or more', 6, 6_000],
  ])('%s, and chance adds a tenth at most', async (_, ttl, least) => {
    const times = await gaps(ttl, 20 * least);
    expect(times.length).toBeGreaterThan(10);
    // A reply takes a moment.
    for (const time of times) expect(time).toBeGreaterThanOrEqual(least - 0.001);
    for (const time of times) expect(time).toBeLessThan(least * 1.1 + 1);
    expect(new Set(times.map(Math.round)).size).toBeGreaterThan(5);
  });

  test('beyond the most gives way to it', async () => {
    for (const time of await gaps(86_400, 60 * minute)) {
      expect(time).toBeGreaterThanOrEqual(10 * minute);
      expect(time).toBeLessThan(10 * minute + 1);
    }
  });

  test('that is absurd counts as none', async () => {
    const [first = 0] = await gaps(2 ** 32 - 1, minute);
    expect(first).toBeLessThan(6_000);
  });
});

const service: Respond = (query) =>
  query.asked.startsWith('SRV')
    ? [reply(query, { answers: [srv(name, 'h.test:7001', { weight: 5 })] })]
    : [reply(query, { answers: [a('h.test', '192.0.2.1')] })];

describe('what is found', () => {
  test('is told at the start, and again when it has changed', async () => {
    const it = await watch(answers(a(name, '192.0.2.1', 10)));
    expect(it.updates).toEqual([
      { kind: 'backends', backends: [{ name: '192.0.2.1', address: '192.0.2.1', port: 69, weight: 1 }] },
    ]);
    it.become(answers(a(name, '192.0.2.2', 10), a(name, '192.0.2.1', 10)));
    await pass(it.memory, minute);
    it.become(answers(a(name, '192.0.2.1', 10), a(name, '192.0.2.2', 10)));
    await pass(it.memory, minute);
    expect([it.updates.length, it.latest()]).toEqual([2, ['192.0.2.1', '192.0.2.2']]);
  });

  test('may come from SRV records', async () => {
    const { updates } = await watch(service, { records: 'srv' });
    expect(updates).toMatchObject([
      { backends: [{ name: 'h.test:7001', address: '192.0.2.1', port: 7001, weight: 5 }] },
    ]);
  });

  test('is asked of the servers of the system where none are given', async () => {
    const { memory, client, servers } = dnsScene([answers(a(name, '192.0.2.1'))]);
    const files = { read: async (): Promise<string> => 'nameserver 10.0.0.1' };
    const source = new DnsSource({ net: client, files }, { ...options, servers: [] });
    await memory.play(source.watch(() => undefined, new AbortController().signal));
    expect(servers[0]?.asked).toEqual(['A boot.test']);
  });
});

describe('trouble', () => {
  const good = answers(a(name, '192.0.2.1', 120));

  test.each<[string, Respond]>([
    ['silence', silent],
    ['SERVFAIL', says(2)],
    ['an address that nobody has', answers(a(name, '0.0.0.0'))],
    [
      'an alias of itself',
      (query) => [reply(query, { answers: [{ ...a(name, ''), type: 'CNAME', data: name }] })],
    ],
  ])('leaves the last set in force and is told, again and again: %s', async (_, respond) => {
    const it = await watch(good);
    it.become(respond);
    await pass(it.memory, 10 * minute);
    const failures = it.updates.slice(1);
    expect(failures.length).toBeGreaterThan(10);
    for (const failure of failures) {
      expect(failure).toEqual({ kind: 'failed', source: name, error: expect.any(Error) });
    }
    it.become(answers(a(name, '192.0.2.2', 120)));
    await pass(it.memory, 10_000);
    expect(it.latest()).toEqual(['192.0.2.2']);
  });

  test('makes the next look come sooner', async () => {
    const it = await watch(good);
    it.become(says(2));
    await pass(it.memory, 3 * minute);
    const [, , second = 0, , third = 0] = it.asked();
    expect(third - second).toBeGreaterThan(4_999);
    expect(third - second).toBeLessThan(5_501);
  });

  test('at the start is the end of it', async () => {
    const failed = watch(says(2));
    await expect(failed).rejects.toBeInstanceOf(DiscoveryError);
    await expect(failed).rejects.toMatchObject({ sources: [name] });
    await expect(watch(says(3))).rejects.toThrow('there are no backends in boot.test');
    await expect(watch(silent, { name: 'a b' })).rejects.toThrow('"a b" is no domain name');
  });

  test('is not told after the abort', async () => {
    const it = await watch(good);
    it.become(silent);
    for (let waited = 0; it.asked().length < 2 && waited < 5 * minute; waited += 500)
      await pass(it.memory, 500);
    expect(it.leftOpen()).toBeGreaterThan(0);
    it.controller.abort();
    expect(it.leftOpen()).toBe(0);
    await pass(it.memory, 10 * minute);
    expect(it.updates).toHaveLength(1);
  });
});

describe('an empty answer', () => {
  const good = answers(a(name, '192.0.2.1', 10));

  test.each([
    ['no such name', says(3)],
    ['no such records', says(0)],
  ])('is doubted for a while, then believed: %s', async (_, respond) => {
    const it = await watch(good);
    it.become(respond);
    await pass(it.memory, minute);
    expect(it.latest()).toEqual(['192.0.2.1']);
    expect(it.updates.at(-1)).toMatchObject({
      kind: 'failed',
      source: name,
      error: { code: 'TLB_ERR_NO_BACKENDS', message: 'there are no backends in boot.test' },
    });
    await pass(it.memory, minute);
    expect(it.updates.at(-1)).toEqual({ kind: 'backends', backends: [] });
  });

  test('is not believed while nobody answers', async () => {
    const it = await watch(good);
    it.become(says(3));
    await pass(it.memory, 20_000);
    it.become(silent);
    await pass(it.memory, 10 * minute);
    expect(it.latest()).toEqual(['192.0.2.1']);
  });

  test('is looked at often, also when it has been believed', async () => {
    const it = await watch(good);
    it.become(says(3));
    await pass(it.memory, 5 * minute);
    expect(it.latest()).toEqual([]);
    it.become(good);
    await pass(it.memory, 6_000);
    expect(it.latest()).toEqual(['192.0.2.1']);
  });
});
