import type { Answer } from 'dns-packet';
import type { FoundBackend } from '../../src/balance/pool.ts';
import { createBackendSource } from '../../src/discovery/create-source.ts';
import { MemoryNet } from '../../src/net/memory-net.ts';
import { a, aaaa, DnsServer, reply, type Respond, srv } from '../helpers/dns-server.ts';
import { MemoryFiles } from '../helpers/memory-files.ts';
import { pass } from '../helpers/virtual-time.ts';
import { backendSourceContract, type SourceState, type SourceWorld } from './backend-source.ts';

const addresses: Record<SourceState, readonly string[]> = {
  first: ['192.0.2.1'],
  second: ['192.0.2.1', '192.0.2.2'],
  broken: [],
  empty: [],
};
const common = { port: 69, weight: 2 };

/** One that is called what its address is. */
function backend(address: string, weight: number): FoundBackend {
  return { name: address, address, port: 69, weight };
}

/** Each source looks at least once in a second, and doubts that there is nothing for three. */
const second = 1_000;
const grace = { emptyGrace: 3 * second };

backendSourceContract('static', (state) => {
  const memory = new MemoryNet({ seed: 1 });
  const become = (state: SourceState): void => void memory.names.set('boot.test', addresses[state]);
  become(state);
  const backends = [{ host: 'boot.test', ...common }];
  return {
    source: createBackendSource(
      { kind: 'static', backends, interval: second },
      { net: memory.host(['127.0.0.1']), files: new MemoryFiles() },
    ),
    backends: {
      first: [{ name: 'boot.test', address: '192.0.2.1', host: 'boot.test', ...common }],
      second: [
        { name: 'boot.test@192.0.2.1', address: '192.0.2.1', host: 'boot.test', ...common },
        { name: 'boot.test@192.0.2.2', address: '192.0.2.2', host: 'boot.test', ...common },
      ],
    },
    become,
    pass: () => pass(memory, second),
    play: (work) => memory.play(work),
    leftOpen: () => memory.pendingTimers,
  };
});

type DnsAnswers = Readonly<
  Record<Exclude<SourceState, 'broken'>, Readonly<Record<string, readonly Answer[]>>>
>;

/** A DNS server with these answers, and a source that asks it. */
function dnsWorld(
  records: 'address' | 'srv',
  answers: DnsAnswers,
  first: SourceState,
): Omit<SourceWorld, 'backends'> {
  const memory = new MemoryNet({ seed: 1 });
  const responseIn = (state: SourceState): Respond => {
    if (state === 'broken') return (query) => [reply(query, { rcode: 2 })];
    return (query) => [reply(query, { answers: [...(answers[state][query.asked] ?? [])] })];
  };
  const server = { address: '10.0.0.1', port: 53 };
  const dns = new DnsServer(memory.host([server.address]), server, responseIn(first));
  const client = memory.host(['10.0.0.2']);
  const limits = { minInterval: second / 2, maxInterval: 0.9 * second, ...grace };
  const options = { name: 'boot.test', records, port: 69, family: undefined, servers: [server], ...limits };
  return {
    source: createBackendSource({ kind: 'dns', ...options }, { net: client, files: new MemoryFiles() }),
    become: (state) => {
      dns.respond = responseIn(state);
    },
    pass: () => pass(memory, second),
    play: (work) => memory.play(work),
    leftOpen: () => memory.pendingTimers + client.openSockets,
  };
}

backendSourceContract('dns, addresses', (state) => {
  const [one, two] = [a('boot.test', '192.0.2.1'), a('boot.test', '192.0.2.2')];
  const six = { 'AAAA boot.test': [aaaa('boot.test', '2001:db8::1')] };
  const answers = {
    first: { 'A boot.test': [one], ...six },
    second: { 'A boot.test': [two, one], ...six },
    empty: {},
  };
  return {
    ...dnsWorld('address', answers, state),
    backends: {
      first: [backend('192.0.2.1', 1)],
      second: [backend('192.0.2.1', 1), backend('192.0.2.2', 1)],
    },
    doubts: true,
  };
});

backendSourceContract('dns, services', (state) => {
  const hosts = { 'A a.test': [a('a.test', '192.0.2.1')], 'A b.test': [a('b.test', '192.0.2.2')] };
  const [one, two] = [
    srv('boot.test', 'a.test:7001', { weight: 1 }),
    srv('boot.test', 'b.test:7002', { weight: 3 }),
  ];
  const answers = {
    first: { 'SRV boot.test': [one], ...hosts },
    second: { 'SRV boot.test': [two, one], ...hosts },
    empty: { 'SRV boot.test': [srv('boot.test', '.:0')], ...hosts },
  };
  const first = { name: 'a.test:7001', address: '192.0.2.1', port: 7001, weight: 1 };
  const other = { name: 'b.test:7002', address: '192.0.2.2', port: 7002, weight: 3 };
  return {
    ...dnsWorld('srv', answers, state),
    backends: { first: [first], second: [first, other] },
    doubts: true,
  };
});

const texts: Record<SourceState, string> = {
  first: '- {host: 192.0.2.1, weight: 2}\n',
  second: '- {host: 192.0.2.1, weight: 2}\n- {host: 192.0.2.2, weight: 2}\n',
  broken: '- {host: 192.0.2.1, wei',
  empty: '[]\n',
};

for (const isTalkative of [true, false]) {
  backendSourceContract(`file, ${isTalkative ? 'watched' : 'polled'}`, (state) => {
    const memory = new MemoryNet({ seed: 1 });
    const files = new MemoryFiles();
    files.isTalkative = isTalkative;
    const path = '/etc/backends.yaml';
    const become = (state: SourceState): void => files.write(path, texts[state]);
    become(state);
    const times = { pollInterval: second / 2, resolveInterval: second, ...grace };
    return {
      source: createBackendSource(
        { kind: 'file', path, port: 69, ...times },
        { net: memory.host(['127.0.0.1']), files },
      ),
      backends: {
        first: [backend('192.0.2.1', 2)],
        second: [backend('192.0.2.1', 2), backend('192.0.2.2', 2)],
      },
      doubts: true,
      become,
      pass: () => pass(memory, second),
      play: (work) => memory.play(work),
      leftOpen: () => memory.pendingTimers + files.watches,
    };
  });
}
