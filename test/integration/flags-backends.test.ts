/** Which servers share the work, and how they are found. */
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Answer } from 'dns-packet';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { formatEndpoint, type Endpoint } from '../../src/net/net.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { a, DnsServer, srv, zone } from '../helpers/dns-server.ts';
import { fetchFile, lacksIpv6, nobody, startEmbedded } from '../helpers/embedded.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { stopAll } from '../helpers/processes.ts';
import { freePort, ownLoopback } from '../helpers/sockets.ts';
import { describeFlags } from './flags.ts';
import { connectTo, net, startFtpBalancer, startFtpServer } from './ftp.ts';

const image = Buffer.from('the same everywhere');

afterAll(stopAll);

function start(flags: readonly string[], env?: Readonly<Record<string, string>>): Promise<Balancer> {
  return startBalancer([], { flags, ...(env && { env }) });
}

const placeOf = ({ address, port }: Endpoint): string => formatEndpoint(address, port);

/** Downloads so often. Returns how many transfers each backend has had so far. */
async function sharesOf(balancer: Balancer, transfers: number): Promise<Record<string, number>> {
  const before = balancer.sessions().length;
  for (let at = 0; at < transfers; at += 1) {
    expect((await fetchFile(balancer.listener, 'image')).bytes).toEqual(image);
  }
  await balancer.ended(before + transfers);
  return balancer.shares();
}

/** A file with a list of one backend. */
function listOf(name: string, place: Endpoint): string {
  const file = path.join(temporaryFolder('list'), 'backends.yaml');
  writeFileSync(file, JSON.stringify([{ host: place.address, port: place.port, name }]));
  return file;
}

interface KnownServer {
  readonly name: string;
  readonly server: Endpoint;
}

/** The address of a DNS server that knows these by their SRV records, and nothing else. */
async function dnsWith(...known: readonly KnownServer[]): Promise<string> {
  const records = known.flatMap(({ name, server }): [string, Answer[]][] => [
    [`SRV ${name}`, [srv(name, `host.${name}:${server.port}`)]],
    [`A host.${name}`, [a(`host.${name}`, server.address)]],
    [`AAAA host.${name}`, []],
  ]);
  const address = ownLoopback();
  const at = { address, port: await freePort(address) };
  const dns = new DnsServer(net, at, zone(new Map(records)));
  onTestFinished(() => dns.close());
  return placeOf(at);
}

interface Resolver {
  /** Makes every name mean this address, or nothing. */
  readonly answer: (address: string | undefined) => void;
  /** The environment of a process that uses it. */
  readonly env: Readonly<Record<string, string>>;
}

/** A resolver in the hand of the test. */
function scriptedResolver(): Resolver {
  const folder = temporaryFolder('resolver');
  const [file, preload] = [path.join(folder, 'addresses'), path.join(folder, 'preload.mjs')];
  writeFileSync(
    preload,
    `import dns from 'node:dns/promises';
     import { readFileSync } from 'node:fs';
     import { syncBuiltinESMExports } from 'node:module';
     dns.lookup = async () => [{ family: 4, address: readFileSync(${JSON.stringify(file)}, 'utf8') }];
     syncBuiltinESMExports();`,
  );
  const answer = (address: string | undefined): void => {
    if (address === undefined) return unlinkSync(file);
    writeFileSync(`${file}.new`, address);
    renameSync(`${file}.new`, file);
  };
  return { answer, env: { NODE_OPTIONS: `--import=${preload}` } };
}

describeFlags('Backends', {
  backend: () => {
    test('is given for each server, with its share and its name', async () => {
      const [big, small] = [startEmbedded({ image }), startEmbedded({ image })];
      const balancer = await start([
        `--backend=${placeOf(big)},weight=3,name=big`,
        `--backend=${placeOf(small)},name=small`,
      ]);
      expect(await sharesOf(balancer, 8)).toEqual({ big: 6, small: 2 });
      expect(big.requests).toHaveLength(6);
    });

    test('is named by what was written where it has no other name', async () => {
      const server = startEmbedded({ image });
      const balancer = await start([`--backend=${placeOf(server)}`]);
      expect(await sharesOf(balancer, 1)).toEqual({ [placeOf(server)]: 1 });
    });

    test('may be a host name', async () => {
      const server = startEmbedded({ image }, { address: '127.0.0.1', port: 0 });
      const balancer = await start([`--backend=localhost:${server.port}`]);
      expect(await sharesOf(balancer, 1)).toEqual({ [`localhost:${server.port}`]: 1 });
    });

    test.skipIf(lacksIpv6)('may be an IPv6 address', async () => {
      const server = startEmbedded({ image }, { address: '::1', port: 0 });
      const balancer = await start([`--backend=[::1]:${server.port}`]);
      expect(await sharesOf(balancer, 1)).toEqual({ [placeOf(server)]: 1 });
    });

    test('is at port 69 where no port is given', async () => {
      const balancer = await start(['--backend=192.0.2.11', '--backend=2001:db8::12']);
      const { services } = await balancer.status();
      const backends = services.flatMap((service) => service.backends);
      expect(backends.map(({ name, address, port }) => [name, address, port])).toEqual([
        ['192.0.2.11', '192.0.2.11', 69],
        ['2001:db8::12', '2001:db8::12', 69],
      ]);
    });
  },

  tftpBackend: () => {
    test('is added to those of every protocol', async () => {
      const [general, special] = [startEmbedded({ image }), startEmbedded({ image })];
      const balancer = await start([
        `--backend=${placeOf(general)},name=general`,
        `--tftp-backend=${placeOf(special)},name=special`,
      ]);
      expect(await sharesOf(balancer, 4)).toEqual({ general: 2, special: 2 });
    });

    test('is enough alone', async () => {
      const balancer = await start([`--tftp-backend=${placeOf(startEmbedded({ image }))},name=special`]);
      expect(await sharesOf(balancer, 1)).toEqual({ special: 1 });
    });
  },

  ftpBackend: () => {
    test('is added to those of both protocols', async () => {
      const [general, special] = [await startFtpServer({ name: 'a' }), await startFtpServer({ name: 'b' })];
      const { listener } = await startFtpBalancer([general], `--ftp-backend=${placeOf(special)}`);
      const greetings = [await (await connectTo(listener)).line(), await (await connectTo(listener)).line()];
      expect(greetings.toSorted()).toEqual(['220 a ready', '220 b ready']);
    });

    test('is enough alone, and at port 21 where no port is given', async () => {
      const balancer = await startFtpBalancer([], '--ftp-backend=192.0.2.11,name=special');
      expect((await balancer.status()).services).toMatchObject([
        { kind: 'ftp', backends: [{ name: 'special', address: '192.0.2.11', port: 21 }] },
      ]);
    });
  },

  backendsDns: () => {
    test('is where the servers of both protocols are', async () => {
      const name = '_boot._any.test';
      const server = startEmbedded({ image });
      const flags = [`--backends-dns=${name}`, `--dns-server=${await dnsWith({ name, server })}`];
      expect(await sharesOf(await start(flags), 1)).toEqual({ [`host.${name}:${server.port}`]: 1 });
      const { services } = await (await startFtpBalancer([], ...flags)).status();
      expect(services).toMatchObject([{ kind: 'ftp', backends: [{ port: server.port }] }]);
    });
  },

  tftpBackendsDns: () => {
    test('is where those of TFTP are, wherever others may be', async () => {
      const name = '_tftp._udp.test';
      const server = startEmbedded({ image });
      const dns = `--dns-server=${await dnsWith({ name, server })}`;
      const balancer = await start([dns, '--backends-dns=gone.test', `--tftp-backends-dns=${name}`]);
      expect(await sharesOf(balancer, 1)).toEqual({ [`host.${name}:${server.port}`]: 1 });
    });
  },

  ftpBackendsDns: () => {
    test('is where those of FTP are, wherever others may be', async () => {
      const name = '_ftp._tcp.test';
      const server = await startFtpServer({ name: 'found' });
      const dns = `--dns-server=${await dnsWith({ name, server })}`;
      const flags = [dns, '--backends-dns=gone.test', `--ftp-backends-dns=${name}`];
      const { listener } = await startFtpBalancer([], ...flags);
      expect(await (await connectTo(listener)).line()).toBe('220 found ready');
    });
  },

  dnsServer: () => {
    test('is asked, and the next one where it does not answer', async () => {
      const name = '_tftp._udp.test';
      const dns = await dnsWith({ name, server: startEmbedded({ image }) });
      const servers = [`--dns-server=${placeOf(nobody)}`, `--dns-server=${dns}`];
      expect(Object.values(await sharesOf(await start([...servers, `--backends-dns=${name}`]), 1))).toEqual([
        1,
      ]);
    });
  },

  backendsFile: () => {
    test('lists the servers of both protocols', async () => {
      const server = startEmbedded({ image });
      const flag = `--backends-file=${listOf('listed', server)}`;
      expect(await sharesOf(await start([flag]), 1)).toEqual({ listed: 1 });
      const { services } = await (await startFtpBalancer([], flag)).status();
      expect(services).toMatchObject([{ kind: 'ftp', backends: [{ name: 'listed', port: server.port }] }]);
    });
  },

  tftpBackendsFile: () => {
    test('lists those of TFTP, wherever others may be', async () => {
      const file = listOf('listed', startEmbedded({ image }));
      const balancer = await start(['--backends-file=/nowhere', `--tftp-backends-file=${file}`]);
      expect(await sharesOf(balancer, 1)).toEqual({ listed: 1 });
    });
  },

  ftpBackendsFile: () => {
    test('lists those of FTP, wherever others may be', async () => {
      const file = listOf('listed', await startFtpServer({ name: 'listed' }));
      const flags = ['--backends-file=/nowhere', `--ftp-backends-file=${file}`];
      const { listener } = await startFtpBalancer([], ...flags);
      expect(await (await connectTo(listener)).line()).toBe('220 listed ready');
    });
  },

  emptyGrace: () => {
    test.each([
      { flag: '--empty-grace=1h', isBelieved: false },
      { flag: '--empty-grace=0', isBelieved: true },
    ])('is how long an empty list is not believed: $flag', async ({ flag, isBelieved }) => {
      const file = listOf('listed', startEmbedded({ image }));
      const balancer = await start([`--backends-file=${file}`, flag]);
      writeFileSync(file, '[]');
      const event = isBelieved ? 'backend.state' : 'discovery.failed';
      await balancer.said({ event, ...(isBelieved && { to: 'removed' }) });
      const { services } = await balancer.status();
      expect(services.map(({ backends }) => backends.length)).toEqual([isBelieved ? 0 : 1]);
    });
  },

  resolveInterval: () => {
    test('is how often names are looked up again', async () => {
      const before = startEmbedded({ image });
      const after = startEmbedded({ image }, { address: ownLoopback(), port: before.port });
      const resolver = scriptedResolver();
      resolver.answer(before.address);
      const backend = `--backend=tftp.example:${before.port},name=moving`;
      const balancer = await start([backend, '--resolve-interval=1s'], resolver.env);
      expect(await sharesOf(balancer, 1)).toEqual({ moving: 1 });

      resolver.answer(after.address);
      await balancer.said({ event: 'backend.state', address: after.address, to: 'added' });
      expect(await sharesOf(balancer, 2)).toEqual({ moving: 3 });
      expect([before.requests.length, after.requests.length]).toEqual([1, 2]);

      resolver.answer(undefined);
      await balancer.said({ event: 'discovery.failed', source: 'tftp.example' });
      expect(await balancer.metric('tftplb_discovery_failures_total')).toBeGreaterThan(0);
      await fetchFile(balancer.listener, 'image');
      expect(after.requests).toHaveLength(3);
    });
  },
});
