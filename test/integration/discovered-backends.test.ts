/** Services whose backends come and go while they serve. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { App } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { SourceSpec } from '../../src/discovery/create-source.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import type { Event } from '../../src/observe/events.ts';
import { createLogger } from '../../src/observe/log.ts';
import { a, DnsServer, reply, type Respond, srv } from '../helpers/dns-server.ts';
import { type EmbeddedServer, fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { until } from '../helpers/processes.ts';
import { freePort, ownLoopback } from '../helpers/sockets.ts';

const net = createNodeNet();
const hour = 3_600_000;

afterAll(removeFolders);

class Site {
  readonly app: App;
  readonly events: Event[] = [];

  private constructor(source: SourceSpec) {
    const listener = { vip: [ownLoopback()], tftpPort: '0', ftp: false, healthInterval: '0' };
    const loaded = loadConfig({ ...listener, admin: false, backend: ['127.0.0.1'] }, {});
    if (loaded.kind === 'faulty') throw new Error(loaded.faults.map(({ problem }) => problem).join('; '));
    const services = loaded.config.services.map((service) => ({ ...service, source }));
    const config = { ...loaded.config, services };
    const log = createLogger('silent', { write: () => undefined });
    this.app = new App(config, { net, version: '0', log, observer: (event) => this.events.push(event) });
    onTestFinished(() => this.app.stop());
  }

  static async start(source: SourceSpec): Promise<Site> {
    const site = new Site(source);
    await site.app.start();
    return site;
  }

  /** Waits until these, and no others, are the backends. */
  async has(...names: readonly string[]): Promise<void> {
    const [service] = this.app.status().services;
    const present = (): string =>
      (this.app.status().services[0]?.backends ?? []).map(({ name }) => name).join();
    expect(service).toBeDefined();
    await until(`the backends are ${names.join(', ')}`, () => present() === names.join() || undefined);
  }

  /** What the file says that each server has with its own name in it. */
  async whoServes(): Promise<string> {
    const [listener = { address: '', port: 0 }] = this.app.listening('tftp');
    return (await fetchFile(listener, 'name')).bytes.toString();
  }
}

function server(name: string): EmbeddedServer {
  return startEmbedded({ name: Buffer.from(name) });
}

describe('backends in a file', () => {
  test('serve from the moment in which they are listed', async () => {
    const [one, two] = [server('one'), server('two')];
    const file = path.join(temporaryFolder('list'), 'backends.yaml');
    writeFileSync(file, `- {host: ${one.address}, port: ${one.port}, name: one}\n`);
    const times = { pollInterval: hour, resolveInterval: hour, emptyGrace: hour };
    const site = await Site.start({ kind: 'file', path: file, port: 69, ...times });
    expect(await site.whoServes()).toBe('one');

    writeFileSync(file, `- {host: ${two.address}, port: ${two.port}, name: two}\n`);
    await site.has('two');
    expect(await site.whoServes()).toBe('two');

    writeFileSync(file, 'not a list\n');
    await until('the fault is told', () => site.events.find(({ kind }) => kind === 'discovery.failed'));
    expect(await site.whoServes()).toBe('two');
  });
});

describe('backends in DNS', () => {
  test('serve at the ports of their SRV records', async () => {
    const [one, two] = [server('one'), server('two')];
    const name = '_tftp._udp.boot.test';
    const pointsTo = ({ address, port }: Endpoint): Respond => {
      const records = { SRV: srv(name, `h.test:${port}`, { ttl: 0 }), A: a('h.test', address, 0) };
      return (query) => [
        reply(query, { answers: [query.asked.startsWith('SRV') ? records.SRV : records.A] }),
      ];
    };
    const address = ownLoopback();
    const at = { address, port: await freePort(address) };
    const dns = new DnsServer(net, at, pointsTo(one));
    onTestFinished(() => dns.close());
    const times = { minInterval: 20, maxInterval: hour, emptyGrace: hour };
    const options = { name, records: 'srv', port: 69, family: 4, servers: [at], ...times } as const;
    const site = await Site.start({ kind: 'dns', ...options });
    expect(await site.whoServes()).toBe('one');

    dns.respond = pointsTo(two);
    await site.has(`h.test:${two.port}`);
    expect(await site.whoServes()).toBe('two');
    expect(site.events.map(({ kind }) => kind)).not.toContain('discovery.failed');
  });
});
