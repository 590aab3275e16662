import { describe, expect, test } from 'vitest';
import { DnsError } from '../../../src/discovery/dns-error.ts';
import { ipv4Records } from '../../../src/discovery/dns-records.ts';
import { a, cname, type DnsQuery, reply, type Respond, zone } from '../../helpers/dns-server.ts';
import { dnsScene, known, name, says, silent } from './dns-scene.ts';

describe('a question', () => {
  test('gives the records and how long they hold', async () => {
    const records = [a(name, '192.0.2.1', 30), a(name, '192.0.2.2', 20)];
    const it = dnsScene([(query) => [reply(query, { answers: records })]]);
    expect(await it.resolve()).toEqual({ records: ['192.0.2.1', '192.0.2.2'], ttl: 20 });
    expect([it.servers[0]?.asked, it.leftOpen()]).toEqual([['A boot.test'], 0]);
  });

  test('asks for recursion and tells how much fits', async () => {
    const it = dnsScene([known]);
    await it.resolve();
    const [query] = it.servers[0]?.queries ?? [];
    expect(query?.packet.flag_rd).toBe(true);
    expect(query?.packet.additionals).toMatchObject([{ type: 'OPT', udpPayloadSize: 1232, ednsVersion: 0 }]);
  });

  test('has another id and another port each time', async () => {
    const it = dnsScene([known]);
    for (let time = 0; time < 20; time++) await it.resolve();
    const queries = it.servers[0]?.queries ?? [];
    expect(new Set(queries.map(({ packet }) => packet.id)).size).toBeGreaterThan(15);
    expect(new Set(queries.map(({ client }) => client.port)).size).toBeGreaterThan(15);
  });

  test.each([
    ['does not exist', says(3)],
    ['has no records of this type', says(0)],
  ])('finds nothing where the name %s', async (_, respond) => {
    const it = dnsScene([respond, known]);
    expect(await it.resolve()).toEqual({ records: [], ttl: Infinity });
    expect(it.servers[1]?.asked).toEqual([]);
  });

  test('is not asked for what is no name', async () => {
    const it = dnsScene([known]);
    await expect(it.resolve('boot..test')).rejects.toThrow('"boot..test" is no domain name');
    expect(it.servers[0]?.asked).toEqual([]);
  });

  test('ends with the signal, and nothing stays open', async () => {
    const it = dnsScene([silent]);
    const controller = new AbortController();
    const answer = it.resolver.resolve(name, ipv4Records, controller.signal);
    const reason = new Error('enough');
    it.memory.setTimer(500, () => controller.abort(reason));
    await expect(it.memory.play(answer)).rejects.toBe(reason);
    expect([it.leftOpen(), it.servers[0]?.asked.length]).toEqual([0, 1]);
  });
});

const old: Respond = (query) => (query.hasEdns ? says(1)(query) : known(query));

const bare = (rcode: number): Respond => {
  return (query) => (query.hasEdns ? [reply(query, { rcode, questions: [] })] : known(query));
};

describe('servers', () => {
  test('that are silent get a second datagram, and then the question has failed', async () => {
    const it = dnsScene([silent]);
    await expect(it.resolve()).rejects.toThrow('cannot look up A of boot.test: 10.0.0.1:53 does not answer');
    expect([it.servers[0]?.asked.length, it.leftOpen()]).toEqual([2, 0]);
  });

  test('are asked one after the other', async () => {
    const it = dnsScene([silent, says(2), known]);
    expect((await it.resolve()).records).toEqual(['192.0.2.1']);
    expect(it.servers.map(({ asked }) => asked.length)).toEqual([1, 1, 1]);
  });

  test('that failed are asked last next time', async () => {
    const it = dnsScene([silent, known]);
    await it.resolve();
    const before = it.memory.now();
    await it.resolve();
    expect(it.servers.map(({ asked }) => asked.length)).toEqual([1, 2]);
    expect(it.memory.now() - before).toBeLessThan(10);
  });

  test.each([
    ['SERVFAIL', says(2)],
    ['REFUSED', says(5)],
    ['RCODE 9', says(9)],
    ['FORMERR', says(1)],
    ['does not know', (query: DnsQuery) => [reply(query, { flags: 0 })]],
  ])('that say "%s" are all named', async (said, respond) => {
    const it = dnsScene([respond, silent]);
    const failed = it.resolve();
    await expect(failed).rejects.toBeInstanceOf(DnsError);
    await expect(failed).rejects.toThrow(`10.0.0.1:53 ${said.startsWith('does') ? said : `says ${said}`}`);
    await expect(failed).rejects.toThrow('10.0.0.2:53 does not answer');
  });

  test('that take EDNS for an error are asked without it', async () => {
    const it = dnsScene([old]);
    expect((await it.resolve()).records).toEqual(['192.0.2.1']);
    expect(it.servers[0]?.queries.map(({ hasEdns }) => hasEdns)).toEqual([true, false]);
  });

  test('may leave the question out where they cannot read it, and nowhere else', async () => {
    expect((await dnsScene([bare(1)]).resolve()).records).toEqual(['192.0.2.1']);
    await expect(dnsScene([bare(2)]).resolve()).rejects.toThrow('does not answer');
  });

  test('behind a link that loses half of all datagrams answer sooner or later', async () => {
    const it = dnsScene([known, known, known], { link: { loss: 0.5, duplication: 0.2, reordering: 0.2 } });
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, () => it.resolve()));
    const found = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(found.length).toBeGreaterThan(10);
    expect(it.leftOpen()).toBe(0);
  });
});

const next: Respond = (query) => {
  const from = query.asked.slice(2);
  return [reply(query, { answers: [cname(from, `x${from}`)] })];
};

describe('aliases', () => {
  test('are followed within a reply and beyond it, and the shortest time holds', async () => {
    const it = dnsScene([
      zone(
        new Map([
          ['A boot.test', [cname('boot.test', 'one.test', 40), cname('one.test', 'two.test', 10)]],
          ['A two.test', [a('two.test', '192.0.2.7', 60)]],
        ]),
      ),
    ]);
    expect(await it.resolve()).toEqual({ records: ['192.0.2.7'], ttl: 10 });
    expect(it.servers[0]?.asked).toEqual(['A boot.test', 'A two.test']);
  });

  test('that lead to a name that does not exist lead to nothing', async () => {
    const it = dnsScene([(query) => [reply(query, { answers: [cname(name, 'gone.test')], rcode: 3 })]]);
    expect((await it.resolve()).records).toEqual([]);
    expect(it.servers[0]?.asked).toEqual(['A boot.test']);
  });

  test('that never end are given up, one reply at a time', async () => {
    const it = dnsScene([next]);
    await expect(it.resolve()).rejects.toThrow('boot.test has more than 8 aliases');
    expect(it.servers[0]?.asked.length).toBeLessThanOrEqual(9);
  });

  test('that go round in a reply are given up', async () => {
    const round = [cname(name, 'other.test'), cname('other.test', name)];
    const it = dnsScene([(query) => [reply(query, { answers: round })]]);
    await expect(it.resolve()).rejects.toThrow('more than 8 aliases');
  });
});

describe('forged datagrams', () => {
  const forged = [a(name, '203.0.113.66')];

  test.each<[string, (query: DnsQuery) => Uint8Array]>([
    ['another id', (q) => reply(q, { id: ((q.packet.id ?? 0) + 1) % 65_536, answers: forged })],
    ['another question', (q) => reply(q, { questions: [{ type: 'A', name: 'else.test' }], answers: forged })],
    ['another type', (q) => reply(q, { questions: [{ type: 'AAAA', name }], answers: forged })],
    ['another class', (q) => reply(q, { questions: [{ type: 'A', name, class: 'CH' }], answers: forged })],
    ['no question', (q) => reply(q, { questions: [], answers: forged })],
    ['two questions', (q) => reply(q, { questions: [...(q.packet.questions ?? []), { type: 'A', name }] })],
    ['a query', (q) => reply(q, { type: 'query', answers: forged })],
    ['another operation', (q) => reply(q, { flags: 5 << 11, answers: forged })],
    ['too many bytes', (q) => Buffer.concat([reply(q, { answers: forged }), Buffer.alloc(1_232)])],
    ['nothing', () => new Uint8Array()],
    ['half a header', (q) => reply(q).subarray(0, 11)],
    ['half a record', (q) => reply(q, { answers: forged }).subarray(0, -2)],
  ])('with %s are not the reply, which is waited for', async (_, forge) => {
    const it = dnsScene([(query) => [forge(query), ...known(query)]]);
    expect((await it.resolve()).records).toEqual(['192.0.2.1']);
    expect(it.servers[0]?.asked).toHaveLength(1);
  });

  test.each([
    ['address', '10.0.0.66', 53],
    ['port', '10.0.0.1', 54],
  ])('from another %s are not the reply', async (_, address, port) => {
    const it = dnsScene([known]);
    const host = port === 53 ? it.memory.host([address]) : it.hosts[0];
    const forger = host?.bindUdp(
      { address, port },
      { onDatagram: () => undefined, onError: () => undefined },
    );
    let sent = 0;
    const [server] = it.servers;
    if (server) {
      server.respond = (query) => {
        sent++;
        forger?.send(reply(query, { answers: forged }), query.client.port, query.client.address);
        return sent === 1 ? [] : known(query);
      };
    }
    expect((await it.resolve()).records).toEqual(['192.0.2.1']);
    expect(sent).toBe(2);
  });
});
