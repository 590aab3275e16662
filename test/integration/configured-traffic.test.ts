/** Access, rates, affinity and routes as a file has them: the balancer is a process, its clients and servers are real. */
import { afterAll, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import { ConfiguredBalancer, fileOf, placeOf } from '../helpers/configured.ts';
import { fetchFile, startEmbedded, storeFile } from '../helpers/embedded.ts';
import { noise, removeFolders } from '../helpers/folders.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';
import { connectTo, startFtpServer } from './ftp.ts';

const image = noise(2_000);
const [local, other] = ['127.0.0.1', '127.0.0.2'];

afterAll(stopAll);
afterAll(removeFolders);

function pxe(server: Endpoint, more: string): string {
  return fileOf({ pxe: { backends: [server], more } });
}

/** Asks for a file. Returns the code of the ERROR, or -1 for anything else. */
async function codeFor(listener: Endpoint, file: string, from = local): Promise<number> {
  const client = await UdpPeer.open(from);
  client.send(encodeRequest(Opcode.rrq, file, 'octet'), listener);
  const { data } = await client.next();
  return data.readUInt16BE() === Opcode.error ? data.readUInt16BE(2) : -1;
}

/** Asks for a file, and expects that nothing comes while the log tells that it was refused for this reason. */
async function expectSilence(site: ConfiguredBalancer, file: string, reason: string): Promise<void> {
  const client = await UdpPeer.open();
  client.send(encodeRequest(Opcode.rrq, file, 'octet'), await site.listener('pxe'));
  await site.balancer.said({ event: 'session.reject', reason });
  // What is answered leaves before the log is written.
  expect(client.received).toEqual([]);
}

/** Servers of both protocols on three machines, a, b and c. */
async function machines(): Promise<{ tftp: string[]; ftp: string[] }> {
  const names = ['a', 'b', 'c'];
  const tftp = names.map((name) => `${placeOf(startEmbedded({ image }))},name=${name}`);
  const ftp = await Promise.all(
    names.map(async (name) => `${placeOf(await startFtpServer({ name }))},name=${name}`),
  );
  // In another order, so that what is the same is the name.
  return { tftp, ftp: ftp.toReversed() };
}

async function tftpBackend(site: ConfiguredBalancer, from: string): Promise<string> {
  const before = site.balancer.sessions().length;
  await (await HeldDownload.begin(await site.listener('tftp'), 'image', from)).finish();
  return (await site.balancer.ended(before + 1)).at(-1)?.backend ?? '';
}

async function ftpBackend(site: ConfiguredBalancer, from: string): Promise<string> {
  const greeting = await (await connectTo(await site.listener('ftp'), from)).line();
  return greeting.split(' ')[1] ?? '';
}

describe('access', () => {
  test('is by network and by name, and changes with the file', async () => {
    const server = startEmbedded({ image, 'boot/a.efi': image });
    const rules = `access: { allow: [127.0.0.0/8], deny: [${other}], allow-files: ["boot/**"] }`;
    const site = await ConfiguredBalancer.start(pxe(server, rules), ['--workers=2']);
    const listener = await site.listener('pxe');
    const codes = async (): Promise<number[]> => [
      await codeFor(listener, 'boot/a.efi'),
      await codeFor(listener, 'image'),
      await codeFor(listener, 'boot/a.efi', other),
    ];
    const denied = ErrorCode.accessViolation;
    expect(await codes()).toEqual([-1, denied, denied]);
    const turned = `access: { deny: [${local}], deny-files: ["boot/*"] }`;
    expect(await site.reload(pxe(server, turned))).toMatchObject({ event: 'config.applied' });
    expect(await codes()).toEqual([denied, denied, denied]);
    expect(await codeFor(listener, 'image', other)).toBe(-1);
  });

  test('may be refused in silence', async () => {
    const server = startEmbedded({ image });
    const rules = 'access: { deny-files: ["*"], answer: silent }';
    const site = await ConfiguredBalancer.start(pxe(server, rules));
    await expectSilence(site, 'image', 'denied-name');
  });
});

describe('limits and rates', () => {
  test('may be silent', async () => {
    const server = startEmbedded({ image });
    const rules = 'limits: { max-sessions-per-client: 1, answer: silent }, rates: { per-client: 3/h }';
    const site = await ConfiguredBalancer.start(pxe(server, rules));
    const held = await HeldDownload.begin(await site.listener('pxe'), 'image');
    await expectSilence(site, 'image', 'max-sessions-per-client');
    expect(await held.finish()).toEqual(image);
    await site.balancer.ended(1);
    expect(await codeFor(await site.listener('pxe'), 'image')).toBe(-1);
    await expectSilence(site, 'image', 'rate-per-client');
  });

  test('may be for all addresses that begin alike, and what is used up stays used up', async () => {
    const server = startEmbedded({ image });
    const rules = (rate: string): string => pxe(server, `rates: { per-prefix: ${rate}, prefix-ipv4: 30 }`);
    const site = await ConfiguredBalancer.start(rules('2/h'), ['--workers=2']);
    const listener = await site.listener('pxe');
    const codes = [await codeFor(listener, 'image'), await codeFor(listener, 'image', other)];
    expect(codes).toEqual([-1, -1]);
    expect(await codeFor(listener, 'image', '127.0.0.3')).toBe(ErrorCode.notDefined);
    expect(await site.reload(`${rules('2/h')}log: { level: debug }\n`)).toMatchObject({
      event: 'config.applied',
    });
    expect(await codeFor(listener, 'image')).toBe(ErrorCode.notDefined);
    expect(await codeFor(listener, 'image', '127.0.0.4')).toBe(-1);
    expect(await site.balancer.metric('tftplb_requests_rejected_total', { reason: 'rate-per-prefix' })).toBe(
      2,
    );
  });
});

describe('affinity', () => {
  test('of one group gives a client the same machine in both protocols', async () => {
    const { tftp, ftp } = await machines();
    const more = 'affinity: { duration: 1h, group: boot }';
    const text = fileOf({
      tftp: { backends: tftp, more },
      ftp: { protocol: 'ftp', backends: ftp, more },
    });
    const site = await ConfiguredBalancer.start(text, ['--workers=2']);
    const clients = ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4', '127.0.0.5'];
    const first = new Map<string, string>();
    for (const [at, client] of clients.entries()) {
      first.set(client, await (at % 2 === 0 ? tftpBackend : ftpBackend)(site, client));
    }
    expect(new Set(first.values()).size).toBeGreaterThan(1);
    expect(await site.reload(`${text}log: { level: info }\n`)).toMatchObject({ event: 'config.applied' });
    for (const client of clients) {
      const both = [await tftpBackend(site, client), await ftpBackend(site, client)];
      expect(both).toEqual([first.get(client), first.get(client)]);
    }
  });
});

describe('routes', () => {
  test('send writes, names and all else to servers of their own, under other names', async () => {
    const [reads, writes, big] = [
      startEmbedded({
        image,
        'cfg/127.0.0.1/menu': Buffer.from('for .1'),
        'cfg/127.0.0.2/menu': Buffer.from('for .2'),
      }),
      startEmbedded(),
      startEmbedded({ 'iso/a.iso': image }),
    ] as const;
    const backends = Object.entries({ reads, writes, big }).map(
      ([name, at]) => `${placeOf(at)},name=${name}`,
    );
    const routes = `routes: [
      { op: write, backends: [writes], rewrite: "in/{client_ip}-{name}" },
      { files: ["iso/**", "*.iso"], backends: [big] },
      { files: [menu], backends: [reads], rewrite: "cfg/{client_ip}/{name}" },
      { backends: [reads] } ]`;
    const text = fileOf({ pxe: { backends, more: routes } });
    const site = await ConfiguredBalancer.start(text, ['--workers=2']);
    const listener = await site.listener('pxe');
    const read = async (file: string): Promise<string> =>
      (await fetchFile(listener, file)).bytes.toString('latin1');
    for (let n = 0; n < 3; n += 1) {
      expect(await read('image')).toBe(image.toString('latin1'));
      expect(await read('iso/a.iso')).toBe(image.toString('latin1'));
    }
    expect(await read('menu')).toBe('for .1');
    const held = await HeldDownload.begin(listener, 'menu', other);
    expect((await held.finish()).toString()).toBe('for .2');
    await storeFile(listener, 'report', image);
    await until('the upload is there', () => writes.files.get('in/127.0.0.1-report'));
    expect([reads.requests.length, writes.requests.length, big.requests.length]).toEqual([5, 1, 3]);
    await site.balancer.ended(9);
    expect(site.balancer.shares()).toEqual({ reads: 5, writes: 1, big: 3 });
  });
});
