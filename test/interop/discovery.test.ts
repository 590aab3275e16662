/** Backends that a real DNS server knows. */
import { afterAll, afterEach, describe, expect, onTestFinished, test } from 'vitest';
import type { FoundBackend } from '../../src/balance/pool.ts';
import type { SourceUpdate } from '../../src/discovery/backend-source.ts';
import { createBackendSource } from '../../src/discovery/create-source.ts';
import type { DnsSourceOptions } from '../../src/discovery/dns-source.ts';
import { nodeFiles } from '../../src/discovery/node-files.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { DnsDaemon, lacksDnsmasq } from '../helpers/dns-daemon.ts';
import { stopAll, until } from '../helpers/processes.ts';

const net = createNodeNet();

afterEach(stopAll);
afterAll(cleanUp);

class Watch {
  readonly updates: SourceUpdate[] = [];

  /** The backends that were told last, each as name, address, port and weight. */
  get latest(): string[] {
    const told = this.updates.findLast((update) => update.kind === 'backends');
    return (told?.backends ?? []).map(briefly);
  }

  get failures(): string[] {
    return this.updates.flatMap((update) => (update.kind === 'failed' ? [update.error.message] : []));
  }

  /** Waits until exactly these have been told. */
  async has(...backends: readonly string[]): Promise<void> {
    await until(
      `there are ${backends.join(', ')}`,
      () => this.latest.join() === backends.join() || undefined,
    );
  }
}

function briefly({ name, address, port, weight }: FoundBackend): string {
  return `${name} ${address} ${port} *${weight}`;
}

/** Looks every twentieth of a second where times to live allow it, which are zero with dnsmasq unless it is told. */
async function watch(daemon: DnsDaemon, changes: Partial<DnsSourceOptions> = {}): Promise<Watch> {
  const { address, port } = daemon;
  const source = createBackendSource(
    {
      kind: 'dns',
      name: 'boot.test',
      records: 'address',
      port: 69,
      family: undefined,
      servers: [{ address, port }],
      minInterval: 50,
      maxInterval: 60_000,
      emptyGrace: 60_000,
      ...changes,
    },
    { net, files: nodeFiles },
  );
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const watch = new Watch();
  await source.watch((update) => watch.updates.push(update), controller.signal);
  return watch;
}

function at(address: string): string {
  return `${address} ${address} 69 *1`;
}

describe.skipIf(lacksDnsmasq)('addresses that dnsmasq has', () => {
  test('are followed', async () => {
    const daemon = await DnsDaemon.start(['127.0.0.1 boot.test', '2001:db8::1 boot.test']);
    const found = await watch(daemon);
    expect(found.latest).toEqual([at('127.0.0.1')]);
    await daemon.change(['127.0.0.3 boot.test', '127.0.0.2 boot.test']);
    await found.has(at('127.0.0.2'), at('127.0.0.3'));
    await daemon.change(['2001:db8::2 boot.test', '2001:db8::1 boot.test']);
    await found.has(at('2001:db8::1'), at('2001:db8::2'));
    expect(found.failures).toEqual([]);
  });

  test('are followed when their time is over, and through aliases', async () => {
    const args = ['--local-ttl=1', '--cname=boot.test,server.test'];
    const daemon = await DnsDaemon.start(['127.0.0.1 server.test'], args);
    const found = await watch(daemon, { minInterval: 10 });
    await daemon.change(['127.0.0.2 server.test']);
    await found.has(at('127.0.0.2'));
    expect(found.updates).toHaveLength(2);
  });

  test('may be more than a datagram holds', async () => {
    const hosts = Array.from({ length: 200 }, (_, at) => `127.0.7.${at + 1} boot.test`);
    const daemon = await DnsDaemon.start(hosts);
    const found = await watch(daemon);
    expect(found.latest).toHaveLength(200);
  });

  test('stay while it is away, and change when it is back', async () => {
    const daemon = await DnsDaemon.start(['127.0.0.1 boot.test']);
    const found = await watch(daemon);
    await daemon.stop();
    await until('a look has failed', () => found.failures.length > 0 || undefined);
    expect(found.failures[0]).toBe(
      `cannot look up A of boot.test: ${daemon.address}:${daemon.port} does not answer`,
    );
    expect(found.latest).toEqual([at('127.0.0.1')]);
    await daemon.restart(['127.0.0.2 boot.test']);
    await found.has(at('127.0.0.2'));
  });

  test('stay for a while after they are gone', async () => {
    const daemon = await DnsDaemon.start(['127.0.0.1 boot.test']);
    const found = await watch(daemon, { emptyGrace: 500 });
    await daemon.change([]);
    await until('there are none', () => found.latest.length === 0 || undefined);
    const [, doubt] = found.updates;
    expect(doubt).toMatchObject({ kind: 'failed', error: { message: 'there are no backends in boot.test' } });
    expect(found.updates.at(-1)).toEqual({ kind: 'backends', backends: [] });
  });

  test('are asked of the next server where the first one is away', async () => {
    const daemon = await DnsDaemon.start(['127.0.0.1 boot.test']);
    const away = { address: '127.0.0.1', port: 9 };
    const found = await watch(daemon, { servers: [away, { address: daemon.address, port: daemon.port }] });
    expect(found.latest).toEqual([at('127.0.0.1')]);
  });

  test('must be there at the start', async () => {
    const daemon = await DnsDaemon.start([]);
    await expect(watch(daemon)).rejects.toThrow('there are no backends in boot.test');
    await expect(watch(daemon, { name: 'boot.elsewhere' })).rejects.toThrow('REFUSED');
  });
});

describe.skipIf(lacksDnsmasq)('services that dnsmasq has', () => {
  const hosts = ['127.0.0.1 one.test', '127.0.0.2 two.test', '127.0.0.3 three.test', '127.0.0.9 spare.test'];
  const name = '_tftp._udp.boot.test';
  const service = (rest: string): string => `--srv-host=${name},${rest}`;

  test('have ports and weights of their own, and change', async () => {
    const first = [
      service('one.test,7001,0,10'),
      service('two.test,7002,0,20'),
      service('spare.test,7009,5,10'),
    ];
    const daemon = await DnsDaemon.start(hosts, first);
    const found = await watch(daemon, { name, records: 'srv' });
    expect(found.latest).toEqual(['one.test:7001 127.0.0.1 7001 *10', 'two.test:7002 127.0.0.2 7002 *20']);

    await daemon.change(['127.0.0.8 one.test', ...hosts.slice(1)]);
    await found.has('one.test:7001 127.0.0.8 7001 *10', 'two.test:7002 127.0.0.2 7002 *20');

    await daemon.restart(hosts, [service('three.test,7003,0,1000'), service('two.test,7002,0,500')]);
    await found.has('three.test:7003 127.0.0.3 7003 *256', 'two.test:7002 127.0.0.2 7002 *128');

    await daemon.restart(hosts, [service('spare.test,7009,5,10')]);
    await found.has('spare.test:7009 127.0.0.9 7009 *10');
  });

  test('may be many', async () => {
    const many = Array.from({ length: 100 }, (_, at) => `127.0.7.${at + 1} host-${at}.test`);
    const services = many.map((_, at) => service(`host-${at}.test,69,0,1`));
    const daemon = await DnsDaemon.start(many, services);
    const found = await watch(daemon, { name, records: 'srv', family: 4 });
    expect(found.latest).toHaveLength(100);
  });
});
