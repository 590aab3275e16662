/** Services whose backends come and go while they serve: the balancer is a process with a file, the sources are real. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { ConfiguredBalancer, placeOf } from '../helpers/configured.ts';
import { a, DnsServer, reply, type Respond, srv } from '../helpers/dns-server.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { freePort, ownLoopback } from '../helpers/sockets.ts';
import { connectTo, startFtpServer } from './ftp.ts';

const net = createNodeNet();
const name = '_tftp._udp.boot.test';

afterAll(stopAll);
afterAll(removeFolders);

/** A service of each protocol that finds its backends like this, or has them listed. */
function siteOf(ways: { readonly tftp: string; readonly ftp?: string }): string {
  const rest = 'listeners: ["127.0.0.1:0"], health: { interval: 0 }';
  const services = Object.entries(ways).map(
    ([protocol, way]) => `  ${protocol}: { protocol: ${protocol}, ${rest}, ${way} }\n`,
  );
  return `services:\n${services.join('')}admin: { listen: "127.0.0.1:0" }\n`;
}

const inFile = (file: string, rest = ''): string => `discovery: { file: ${file}${rest} }`;

/** A list of one backend in a file. */
function listOf(name: string, place: Endpoint): string {
  return `- { host: ${place.address}, port: ${place.port}, name: ${name} }\n`;
}

function newList(text: string): string {
  const file = path.join(temporaryFolder('list'), 'backends.yaml');
  writeFileSync(file, text);
  return file;
}

/** Waits until these are the backends of the service. */
async function hasBackends(
  { balancer }: ConfiguredBalancer,
  service: string,
  ...names: string[]
): Promise<void> {
  await until(`${service} has ${names.join(', ')}`, async () => {
    const { services } = await balancer.status();
    const found = services.find((candidate) => candidate.name === service)?.backends ?? [];
    return found.map((backend) => backend.name).join() === names.join() || undefined;
  });
}

/** Who serves TFTP: each server has a file with its own name in it. */
async function tftpServer(site: ConfiguredBalancer): Promise<string> {
  return (await fetchFile(await site.listener('tftp'), 'name')).bytes.toString();
}

async function ftpServer(site: ConfiguredBalancer): Promise<string> {
  return (await connectTo(await site.listener('ftp'))).line();
}

function server(name: string): Endpoint {
  return startEmbedded({ name: Buffer.from(name) });
}

interface Zone extends Endpoint {
  /** Where the service is from now on, at one place or nowhere. */
  point: (to: Endpoint | undefined) => void;
}

/** Says that the service is at one place, or nowhere. */
function pointsTo(to: Endpoint | undefined): Respond {
  if (to === undefined) return (query) => [reply(query)];
  const target = srv(name, `h.test:${to.port}`, { ttl: 0 });
  const host = a('h.test', to.address, 0);
  return (query) => [reply(query, { answers: [query.asked.startsWith('SRV') ? target : host] })];
}

/** A DNS server that knows one service. */
async function zoneWith(first: Endpoint): Promise<Zone> {
  const address = ownLoopback();
  const at = { address, port: await freePort(address) };
  const dns = new DnsServer(net, at, pointsTo(first));
  onTestFinished(() => dns.close());
  const point = (to: Endpoint | undefined): void => {
    dns.respond = pointsTo(to);
  };
  return { ...at, point };
}

const inDns = (zone: Zone, rest = ''): string =>
  `discovery: { dns: { name: ${name}, min-interval: 1s }, dns-servers: ["${placeOf(zone)}"]${rest} }`;

describe('backends in a file', () => {
  test('serve from the moment in which they are listed, in both protocols', async () => {
    const [one, two] = [server('one'), server('two')];
    const [third, fourth] = [await startFtpServer({ name: 'three' }), await startFtpServer({ name: 'four' })];
    const [list, ftpList] = [newList(listOf('one', one)), newList(listOf('three', third))];
    const site = await ConfiguredBalancer.start(siteOf({ tftp: inFile(list), ftp: inFile(ftpList) }));
    expect([await tftpServer(site), await ftpServer(site)]).toEqual(['one', '220 three ready']);

    writeFileSync(list, listOf('two', two));
    writeFileSync(ftpList, listOf('four', fourth));
    await hasBackends(site, 'tftp', 'two');
    await hasBackends(site, 'ftp', 'four');
    expect([await tftpServer(site), await ftpServer(site)]).toEqual(['two', '220 four ready']);
  });

  test('stay where the file is bad, or empty for less than the grace', async () => {
    const list = newList(listOf('one', server('one')));
    const site = await ConfiguredBalancer.start(siteOf({ tftp: inFile(list, ', empty-grace: 1h') }));
    writeFileSync(list, 'not a list\n');
    const { error } = await site.balancer.said({ event: 'discovery.failed', source: list });
    expect(error).toContain('expected a list of backends');
    writeFileSync(list, '[]\n');
    await until('the empty list is doubted', () => {
      const lines = site.balancer.lines().filter(({ event }) => event === 'discovery.failed');
      return lines.some((line) => String(line['error']).includes('no backends')) || undefined;
    });
    expect(await tftpServer(site)).toBe('one');
  });

  test('go with the grace', async () => {
    const list = newList(listOf('one', server('one')));
    const site = await ConfiguredBalancer.start(siteOf({ tftp: inFile(list, ', empty-grace: 0') }));
    writeFileSync(list, '[]\n');
    await hasBackends(site, 'tftp');
    await expect(tftpServer(site)).rejects.toThrow();
  });
});

describe('backends in DNS', () => {
  test('serve at the ports of their SRV records', async () => {
    const [one, two] = [server('one'), server('two')];
    const zone = await zoneWith(one);
    const site = await ConfiguredBalancer.start(siteOf({ tftp: inDns(zone) }), ['--workers=2']);
    expect(await tftpServer(site)).toBe('one');

    zone.point(two);
    await hasBackends(site, 'tftp', `h.test:${two.port}`);
    expect(await tftpServer(site)).toBe('two');
  });

  test('stay where DNS says for a moment that there are none', async () => {
    const zone = await zoneWith(server('one'));
    const site = await ConfiguredBalancer.start(siteOf({ tftp: inDns(zone) }));
    zone.point(undefined);
    await site.balancer.said({ event: 'discovery.failed', source: name });
    expect(await tftpServer(site)).toBe('one');
  });
});

describe('a reload', () => {
  test('moves from a list to DNS, on to a file, and back', async () => {
    const [one, two, three] = [server('one'), server('two'), server('three')];
    const zone = await zoneWith(two);
    const listed = siteOf({ tftp: `backends: ["${placeOf(one)},name=one"]` });
    const site = await ConfiguredBalancer.start(listed, ['--workers=2']);
    const held = [await tftpServer(site)];
    for (const way of [inDns(zone), inFile(newList(listOf('three', three)))]) {
      expect(await site.reload(siteOf({ tftp: way }))).toMatchObject({ event: 'config.applied' });
      held.push(await tftpServer(site));
    }
    expect(await site.reload(listed)).toMatchObject({ event: 'config.applied' });
    expect([...held, await tftpServer(site)]).toEqual(['one', 'two', 'three', 'one']);
  });

  test('is refused, and changes nothing, where nothing is found', async () => {
    const one = server('one');
    const site = await ConfiguredBalancer.start(siteOf({ tftp: inFile(newList(listOf('one', one))) }));
    const gone = '/nowhere/backends.yaml';
    const refused = await site.reload(siteOf({ tftp: inFile(gone) }));
    expect(refused).toMatchObject({ event: 'config.refused' });
    expect(JSON.stringify(refused)).toContain(gone);
    expect(await tftpServer(site)).toBe('one');
  });
});
