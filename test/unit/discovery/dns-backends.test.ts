import type { Answer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import type { FoundBackend } from '../../../src/balance/pool.ts';
import { type DnsFinding, findAddresses, findServices } from '../../../src/discovery/dns-backends.ts';
import { a, aaaa, type DnsServer, reply, srv, type SrvFields, zone } from '../../helpers/dns-server.ts';
import { dnsScene, silent } from './dns-scene.ts';

const never = new AbortController().signal;
const name = '_tftp._udp.test';

type Records = Readonly<Record<string, readonly Answer[]>>;

function serve(records: Records): ReturnType<typeof dnsScene> {
  return dnsScene([zone(new Map(Object.entries(records)))]);
}

async function services(
  records: Records,
  family?: 4 | 6,
): Promise<DnsFinding & { server: DnsServer | undefined }> {
  const { memory, resolver, servers } = serve(records);
  const finding = await memory.play(findServices(resolver, { name, family }, never));
  return { ...finding, server: servers[0] };
}

async function addresses(records: Records, family?: 4 | 6): Promise<DnsFinding> {
  const { memory, resolver } = serve(records);
  return memory.play(findAddresses(resolver, { name: 'boot.test', port: 69, family }, never));
}

function briefly({ backends }: { readonly backends: readonly FoundBackend[] }): string[] {
  return backends.map((backend) => `${backend.name} = ${backend.address} ${backend.port} *${backend.weight}`);
}

describe('the addresses of a name', () => {
  const both = {
    'A boot.test': [a('boot.test', '192.0.2.2', 30), a('boot.test', '192.0.2.1', 30)],
    'AAAA boot.test': [aaaa('boot.test', '2001:db8::1', 20)],
  };

  test('are backends that are called what they are, in order', async () => {
    const found = await addresses({ 'A boot.test': both['A boot.test'] });
    expect(briefly(found)).toEqual(['192.0.2.1 = 192.0.2.1 69 *1', '192.0.2.2 = 192.0.2.2 69 *1']);
    expect(found.ttl).toBe(30);
  });

  test.each([
    ['IPv4 where there is both', undefined, ['192.0.2.1', '192.0.2.2']],
    ['IPv4 where that is wanted', 4, ['192.0.2.1', '192.0.2.2']],
    ['IPv6 where that is wanted', 6, ['2001:db8::1']],
  ] as const)('are %s', async (_, family, wanted) => {
    const { backends } = await addresses(both, family);
    expect(backends.map(({ address }) => address)).toEqual(wanted);
  });

  test('are IPv6 where there is nothing else', async () => {
    const { backends } = await addresses({ 'AAAA boot.test': both['AAAA boot.test'] });
    expect(backends.map(({ address }) => address)).toEqual(['2001:db8::1']);
  });

  test('are unknown if one of both families cannot be asked for', async () => {
    const { memory, resolver, leftOpen } = dnsScene([
      (query) =>
        query.asked.startsWith('AAAA') ? [reply(query, { answers: [aaaa('boot.test', '::1')] })] : [],
    ]);
    const options = { name: 'boot.test', port: 69, family: undefined };
    await expect(memory.play(findAddresses(resolver, options, never))).rejects.toThrow('A of boot.test');
    expect(leftOpen()).toBe(0);
  });
});

const records = (service: number, host: number): Records => ({
  [`SRV ${name}`]: [srv(name, 'a.test:69', { ttl: service })],
  'A a.test': [a('a.test', '192.0.2.1', host)],
});

describe('the hosts of a service', () => {
  test('are backends with ports and weights of their own', async () => {
    const found = await services({
      [`SRV ${name}`]: [srv(name, 'b.test:7002', { weight: 3 }), srv(name, 'a.test:7001', { weight: 1 })],
      'A a.test': [a('a.test', '192.0.2.1')],
      'A b.test': [a('b.test', '192.0.2.2')],
    });
    expect(briefly(found)).toEqual(['a.test:7001 = 192.0.2.1 7001 *1', 'b.test:7002 = 192.0.2.2 7002 *3']);
  });

  test('with several addresses are several backends', async () => {
    const found = await services({
      [`SRV ${name}`]: [srv(name, 'a.test:69', { weight: 2 })],
      'A a.test': [a('a.test', '192.0.2.2'), a('a.test', '192.0.2.1')],
    });
    expect(briefly(found)).toEqual([
      'a.test:69@192.0.2.1 = 192.0.2.1 69 *2',
      'a.test:69@192.0.2.2 = 192.0.2.2 69 *2',
    ]);
  });

  test('with several ports are looked up once', async () => {
    const { backends, server } = await services(
      {
        [`SRV ${name}`]: [srv(name, 'a.test:2'), srv(name, 'A.test.:1'), srv(name, 'a.test:2')],
        'A a.test': [a('a.test', '192.0.2.1')],
      },
      4,
    );
    expect(backends.map(({ name }) => name)).toEqual(['a.test:1', 'a.test:2']);
    expect(server?.asked).toEqual([`SRV ${name}`, 'A a.test']);
  });

  test('count if their priority is the best', async () => {
    const { backends, server } = await services({
      [`SRV ${name}`]: [
        srv(name, 'standby.test:69', { priority: 20 }),
        srv(name, 'a.test:69', { priority: 10 }),
        srv(name, 'b.test:69', { priority: 10 }),
      ],
      'A a.test': [a('a.test', '192.0.2.1')],
      'A b.test': [a('b.test', '192.0.2.2')],
    });
    expect(backends.map(({ name }) => name)).toEqual(['a.test:69', 'b.test:69']);
    expect(server?.asked).not.toContain('A standby.test');
  });

  test('hold for the shortest time of all', async () => {
    expect((await services(records(10, 20))).ttl).toBe(10);
    expect((await services(records(20, 10))).ttl).toBe(10);
  });

  test('with as many addresses as ports are too many sooner than either', async () => {
    const ports = Array.from({ length: 40 }, (_, at) => srv(name, `a.test:${at + 1}`));
    const addresses = Array.from({ length: 40 }, (_, at) => a('a.test', `192.0.2.${at + 1}`));
    const found = await services({ [`SRV ${name}`]: ports.slice(0, 25), 'A a.test': addresses }, 4);
    expect(found.backends).toHaveLength(1_000);
    const tooMany = services({ [`SRV ${name}`]: ports.slice(0, 26), 'A a.test': addresses }, 4);
    await expect(tooMany).rejects.toThrow('more than 1024 backends');
  });

  test('without addresses are none', async () => {
    const found = await services({
      [`SRV ${name}`]: [srv(name, 'a.test:69'), srv(name, 'gone.test:69')],
      'A a.test': [a('a.test', '192.0.2.1')],
    });
    expect(briefly(found)).toEqual(['a.test:69 = 192.0.2.1 69 *1']);
  });

  test.each<[string, readonly Answer[]]>([
    ['does not exist', []],
    ['is decidedly not there', [srv(name, '.:0')]],
  ])('are none where the service %s', async (_, records) => {
    expect((await services({ [`SRV ${name}`]: records })).backends).toEqual([]);
  });

  test('are unknown as long as one of them cannot be looked up, and nothing stays open', async () => {
    const targets = Array.from({ length: 20 }, (_, at) => srv(name, `h${at}.test:69`));
    const { memory, resolver, leftOpen } = dnsScene([
      (query) => (query.asked.startsWith('SRV') ? [reply(query, { answers: targets })] : silent(query)),
    ]);
    await expect(memory.play(findServices(resolver, { name, family: 4 }, never))).rejects.toThrow(
      'cannot look up A of h0.test',
    );
    expect(leftOpen()).toBe(0);
  });
});

async function scaled(...weights: number[]): Promise<number[]> {
  const { backends } = await services({
    [`SRV ${name}`]: weights.map((weight, at) => srv(name, `h${at}.test:69`, { weight } satisfies SrvFields)),
    ...Object.fromEntries(weights.map((_, at) => [`A h${at}.test`, [a(`h${at}.test`, `192.0.2.${at}`)]])),
  });
  return backends.map(({ weight }) => weight);
}

describe('weights', () => {
  test.each([
    { rule: 'that fit stay', given: [1, 5, 256], ours: [1, 5, 256] },
    { rule: 'that are all zero are equal', given: [0, 0], ours: [1, 1] },
    { rule: 'that are too large keep their proportion', given: [100, 200, 1000], ours: [26, 51, 256] },
    { rule: 'of the extremes', given: [1, 65_535], ours: [1, 256] },
    { rule: 'of zero among others are hardly ever chosen', given: [0, 1, 2], ours: [1, 128, 256] },
  ])('$rule: $given', async ({ given, ours }) => {
    expect(await scaled(...given)).toEqual(ours);
  });
});
