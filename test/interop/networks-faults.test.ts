/** What networks do to datagrams: they refuse them, cut them up and lose them. */
import { spawnSync } from 'node:child_process';
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import type { Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { clientNames, get, put, type ClientName } from '../helpers/clients.ts';
import { noise } from '../helpers/folders.ts';
import { hostsObstacle, lacksHosts, type Host } from '../helpers/hosts.ts';
import { backends, Network, variants } from '../helpers/network.ts';
import { lacks, strict } from '../helpers/peers.ts';
import { until } from '../helpers/processes.ts';

const image = noise(6_000);
const large = noise(300_000, 'large');
const longest = 65_464;
/** Longer than any client waits, so that nothing but a refusal can lead to another server. */
const patient = ['--try-interval=60s', '--log-level=debug'];
/** Milliseconds for transfers in which both sides repeat, each after seconds. */
const lossyPatience = 90_000;

/** Whether datagrams cannot be lost here; never where that must be a failure. */
const lacksFilter = !strict && spawnSync('sh', ['-c', 'command -v nft']).status !== 0;

afterAll(cleanUp);

/** Behind the servers' host, which says that it has no way there. */
const beyond = [
  'sysctl -q -w net.ipv4.ip_forward=1',
  'ip route add unreachable 203.0.113.0/25',
  'ip route add prohibit 203.0.113.128/25',
].join(' && ');
/** Its port is closed; a filter rejects what is for it. */
const refusing: readonly Endpoint[] = [
  { address: '198.51.100.11', port: 7_777 },
  { address: '203.0.113.130', port: 69 },
];
/** A router has no way to it; nobody has its address. */
const unreachable: readonly Endpoint[] = [
  { address: '203.0.113.5', port: 69 },
  { address: '198.51.100.99', port: 69 },
];

/**
 * So many of a hundred datagrams that come from clients, and as many of those that go to them, are lost. Which transfers
 * that concerns is left to chance, but not how many are lost: some, and never all that one side repeats.
 */
async function lose(host: Host, percentage: number): Promise<void> {
  const drop = `meta l4proto udp numgen inc mod ${100 / percentage} == 0 counter drop`;
  const chain = (hook: 'input' | 'output', device: 'iifname' | 'oifname'): string =>
    `chain ${hook} { type filter hook ${hook} priority filter; ${device} vips ${drop}; }`;
  await host.sh(`nft 'table inet lossy { ${chain('input', 'iifname')}; ${chain('output', 'oifname')}; }'`);
}

/** How many were lost on the way in, and on the way out. */
async function losses(host: Host): Promise<number[]> {
  const rules = await host.sh('nft list table inet lossy');
  return [...rules.matchAll(/counter packets (\d+)/g)].map(([, count]) => Number(count));
}

/** How many datagrams that host has cut up, and put together. */
async function fragmentation(host: Host): Promise<{ cut: number; joined: number }> {
  const [names = '', values = ''] = (await host.sh('cat /proc/net/snmp')).match(/^Ip: .*$/gm) ?? [];
  const valueOf = (name: string): number => Number(values.split(' ')[names.split(' ').indexOf(name)]);
  return { cut: valueOf('FragOKs'), joined: valueOf('ReasmOKs') };
}

interface Turn {
  readonly client: ClientName;
  readonly round: number;
}

/**
 * Whether its uploads survive that. One that repeats after five seconds cannot do so more than once while the last ACK
 * is there to be had, and curl, which repeats after fifteen, gives up where an answer comes twice.
 */
function uploadsAt(percentage: number, client: ClientName): boolean {
  return client === 'busybox' || (client !== 'curl' && percentage < 5);
}

type Ended = ReturnType<Balancer['sessions']>[number];

/** A client that has everything ends: if its last ACK is lost, the server asks for it in vain, and may say so. */
function isUnsure({ op, result, bytes }: Ended): boolean {
  return op === 'read' && bytes === image.length && (result === 'ok-unacked' || result === 'error');
}

describe.skipIf(lacksHosts)(hostsObstacle ?? 'on a network of its own', () => {
  let network: Network;
  let balancer: Balancer | undefined;

  beforeAll(async () => {
    const names = [1, 2].flatMap((round) => clientNames.map((client) => `for-${client}-${round}`));
    network = await Network.open(Object.fromEntries(['image', ...names].map((name) => [name, image])));
    await network.servers.sh(beyond);
    await network.balancer.sh('ip route add 203.0.113.0/24 via 198.51.100.11');
  });

  afterEach(async () => {
    await balancer?.program.stop();
    balancer = undefined;
  });

  describe.each(variants)('$name', ({ flags, hearsRouters }) => {
    test.skipIf(lacks('curl'))('servers that refuse are passed over at once', async () => {
      const bad = hearsRouters ? [...refusing, ...unreachable] : refusing;
      const behind = [...bad, ...backends];
      balancer = await network.balance({ behind, flags: [...flags, ...patient] });
      const request = { ...balancer.listener, host: network.client, file: 'image' };
      for (const _ of behind) expect(await get('curl', request)).toEqual(image);
      const sessions = await balancer.ended(behind.length);
      expect(sessions.filter(({ result }) => result !== 'ok')).toEqual([]);
      const failovers = balancer.lines().filter(({ event }) => event === 'session.failover');
      expect(failovers.filter(({ reason }) => reason !== 'refused')).toEqual([]);
      const passedOver = new Set(failovers.map(({ from }) => String(from)));
      expect([...passedOver].toSorted()).toEqual(bad.map((_, n) => `b${n}`));
    });

    test.skipIf(lacks('curl'))('blocks that are cut up on the way arrive whole', async () => {
      balancer = await network.balance({ flags });
      const file = `large${flags.join('')}`;
      const request = { ...balancer.listener, host: network.client, blksize: longest, file };
      const before = await fragmentation(network.balancer);
      await put('curl', request, large);
      expect(await get('curl', request)).toEqual(large);
      const sessions = await balancer.ended(2);
      const blocks = Math.ceil(large.length / longest);
      const granted = { blksize: String(longest) };
      expect(sessions).toMatchObject([
        { op: 'write', result: 'ok', blocks, granted },
        { op: 'read', result: 'ok', blocks, granted },
      ]);
      const { cut, joined } = await fragmentation(network.balancer);
      expect(cut - before.cut).toBeGreaterThanOrEqual(2 * blocks);
      expect(joined - before.joined).toBeGreaterThanOrEqual(2 * blocks);
    });

    test.skipIf(lacksFilter || lacks(...clientNames)).each([1, 5])(
      'every transfer succeeds and is told once where %i of 100 datagrams are lost',
      { timeout: 2 * lossyPatience },
      async (percentage) => {
        balancer = await network.balance({ flags });
        await lose(network.balancer, percentage);
        onTestFinished(async () => {
          await network.balancer.sh('nft delete table inet lossy');
        });
        const request = { ...balancer.listener, host: network.client, patience: lossyPatience };
        const rounds = [1, 2].flatMap((round) => clientNames.map((client) => ({ client, round })));
        const transfer = async ({ client, round }: Turn): Promise<readonly string[]> => {
          if (!uploadsAt(percentage, client)) {
            const file = `for-${client}-${round}`;
            expect(await get(client, { ...request, file }), file).toEqual(image);
            return [`read ${file}`];
          }
          const file = `by-${client}-${round}`;
          await put(client, { ...request, file }, image);
          expect(await get(client, { ...request, file }), file).toEqual(image);
          return [`write ${file}`, `read ${file}`];
        };
        const done = (await Promise.all(rounds.map(transfer))).flat();
        const lost = await losses(network.balancer);
        expect(lost.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0);

        const ended = (): Ended[] => balancer?.sessions() ?? [];
        await until('all have ended', () => ended().length >= done.length || undefined, lossyPatience);
        expect(
          ended()
            .map(({ op, file }) => `${op} ${file}`)
            .toSorted(),
        ).toEqual(done.toSorted());
        const unsure = ended().filter(isUnsure);
        expect(unsure.length).toBeLessThan(done.length / 2);
        expect(ended().filter((session) => session.result !== 'ok' && !isUnsure(session))).toEqual([]);
      },
    );
  });
});
