import { describe, expect, test } from 'vitest';
import { ipv4Records } from '../../../src/discovery/dns-records.ts';
import { a, dnsFlags, type DnsQuery, framed, reply, type Respond } from '../../helpers/dns-server.ts';
import { dnsScene, known, name } from './dns-scene.ts';

const many = Array.from({ length: 200 }, (_, at) => a(name, `192.0.2.${at + 1}`));
const flags = dnsFlags.authoritative | dnsFlags.truncated;

/** Truncated over UDP; over TCP as given. */
function truncated(overTcp: Respond, cut = (bytes: Uint8Array): Uint8Array => bytes): Respond {
  return (query) =>
    query.over === 'udp' ? [cut(reply(query, { flags, answers: many.slice(0, 3) }))] : overTcp(query);
}

const whole: Respond = (query) => [reply(query, { answers: many })];

const strange: Respond = (query) => [reply(query, { flags, id: 0, questions: [] }), ...known(query)];

const pieces = (size: number): Respond => {
  return (query) => {
    const [bytes = new Uint8Array()] = whole(query);
    const count = Math.ceil(bytes.length / size);
    return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
  };
};

describe('a truncated reply', () => {
  test('is asked for again over TCP', async () => {
    const it = dnsScene([truncated(whole)]);
    expect((await it.resolve()).records).toHaveLength(200);
    expect(it.servers[0]?.queries.map(({ over }) => over)).toEqual(['udp', 'tcp']);
    expect(it.leftOpen()).toBe(0);
  });

  test('may be cut in the middle of a record', async () => {
    const it = dnsScene([truncated(whole, (bytes) => bytes.subarray(0, -5))]);
    expect((await it.resolve()).records).toHaveLength(200);
  });

  test('counts only with the right id and question', async () => {
    const it = dnsScene([strange]);
    expect((await it.resolve()).records).toEqual(['192.0.2.1']);
    expect(it.servers[0]?.queries.map(({ over }) => over)).toEqual(['udp']);
  });

  test('over TCP may come in pieces of any size', async () => {
    for (const size of [1, 7, 1_460]) {
      const it = dnsScene([truncated(pieces(size))]);
      expect((await it.resolve()).records).toHaveLength(200);
    }
  });

  test('may have whatever behind it over TCP', async () => {
    const it = dnsScene([truncated((query) => [...whole(query), Buffer.alloc(200_000)])]);
    expect((await it.resolve()).records).toHaveLength(200);
    expect(it.leftOpen()).toBe(0);
  });
});

describe('a server that, over TCP,', () => {
  const bad: Record<string, { respond: (query: DnsQuery) => Uint8Array[]; reason: string }> = {
    'is silent': { respond: () => [], reason: 'does not answer over TCP' },
    'never finishes': {
      respond: (query) => [reply(query, { answers: many }).subarray(0, -1)],
      reason: 'does not answer over TCP',
    },
    'says half a length': { respond: () => [new Uint8Array(1)], reason: 'does not answer over TCP' },
    'says nothing in zero bytes': { respond: () => [new Uint8Array(2)], reason: 'something else' },
    'says something else': {
      respond: () => [framed(Buffer.from('SSH-2.0-OpenSSH'))],
      reason: 'something else',
    },
    'has another id': {
      respond: (query) => [reply(query, { id: ((query.packet.id ?? 0) + 1) % 65_536 })],
      reason: 'something else',
    },
    'truncates again': { respond: (query) => [reply(query, { flags })], reason: 'something else' },
  };

  test.each(Object.entries(bad))('%s is one without an answer', async (_, { respond, reason }) => {
    const it = dnsScene([truncated(respond)]);
    await expect(it.resolve()).rejects.toThrow(reason);
    expect(it.leftOpen()).toBe(0);
  });

  test('hangs up is one without an answer', async () => {
    const it = dnsScene([truncated(() => [])]);
    const [host] = it.hosts;
    it.memory.setTimer(1_000, () => host?.tcp.kill());
    await expect(it.resolve()).rejects.toThrow('10.0.0.1');
    expect(it.leftOpen()).toBe(0);
  });

  test('is not there is one without an answer, and the next is asked', async () => {
    const it = dnsScene([truncated(whole), known]);
    it.hosts[0]?.tcp.kill();
    expect((await it.resolve()).records).toEqual(['192.0.2.1']);
    expect(it.leftOpen()).toBe(0);
  });

  test('is silent is left as soon as the signal says so', async () => {
    const it = dnsScene([truncated(() => [])]);
    const controller = new AbortController();
    const answer = it.resolver.resolve(name, ipv4Records, controller.signal);
    const reason = new Error('enough');
    it.memory.setTimer(500, () => controller.abort(reason));
    await expect(it.memory.play(answer)).rejects.toBe(reason);
    expect(it.leftOpen()).toBe(0);
  });
});
