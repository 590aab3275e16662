/** Datagrams from nowhere during a transfer, and clients that never change their port. */
import { createSocket } from 'node:dgram';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { get } from '../helpers/clients.ts';
import { startServer } from '../helpers/daemons.ts';
import { noise, publish, sha256 } from '../helpers/folders.ts';
import { udpPortsOf } from '../helpers/kernel.ts';
import { lacks } from '../helpers/peers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { freePort } from '../helpers/sockets.ts';

const modes = ['--no-single-port', '--single-port'];

afterEach(stopAll);
afterAll(cleanUp);

const strays = [
  Buffer.from('\0\x03\0\x02stray data', 'latin1'),
  Buffer.from('\0\x04\0\x02', 'latin1'),
  Buffer.from('\0\x05\0\0stray error\0', 'latin1'),
  Buffer.from('\0\x06blksize\x00512\0', 'latin1'),
  Buffer.from('not TFTP at all', 'latin1'),
];

/** Datagrams that clients have got. */
async function relayed(balancer: Balancer): Promise<number> {
  const { services } = await balancer.status();
  const backends = services.flatMap((service) => service.backends);
  return backends.reduce((sum, { datagramsToClient }) => sum + datagramsToClient, 0);
}

/** Throws strays at every port of the balancer until `end`. Returns the answers that came back. */
async function throwStrays(balancer: Balancer, end: Promise<unknown>): Promise<Buffer[]> {
  const answers: Buffer[] = [];
  const stranger = createSocket('udp4').on('message', (answer) => answers.push(answer));
  const { pid = 0 } = balancer.program;
  const timer = setInterval(() => {
    for (const port of udpPortsOf(pid)) for (const stray of strays) stranger.send(stray, port, '127.0.0.1');
  }, 20);
  await end.catch(() => undefined);
  clearInterval(timer);
  stranger.close();
  return answers;
}

describe.skipIf(lacks('curl', 'atftpd'))('stray datagrams at both sides of a transfer', () => {
  test.each(modes)('disturb nobody with %s', async (mode) => {
    const content = noise(400_000);
    const server = await startServer('atftpd');
    publish(server.root, 'image', content);
    const balancer = await startBalancer([server], { flags: [mode] });
    // curl aborts a transfer as soon as one foreign packet reaches it.
    const download = get('curl', { ...balancer.listener, file: 'image', blksize: 64 });
    // Until the first reply any port of the backend's address may be its TID, and strays come from that address.
    await until('the transfer runs', async () => (await relayed(balancer)) > 10 || undefined);
    const answers = await throwStrays(balancer, download);

    expect(sha256(await download)).toBe(sha256(content));
    const [session] = await balancer.ended(1);
    expect(session).toMatchObject({ result: 'ok', bytes: content.length });
    const unknownTid = answers.filter((answer) => answer.readUInt32BE() === 0x0005_0005);
    expect(unknownTid.length).toBeGreaterThan(0);
    expect(unknownTid).toHaveLength(answers.length);
    expect(await balancer.drops('foreign-backend')).toBeGreaterThan(0);
    const foreign = mode === '--single-port' ? 'unknown-session' : 'foreign-client';
    expect(await balancer.drops(foreign)).toBeGreaterThan(0);
  });
});

describe.skipIf(lacks('tftp-hpa', 'atftpd'))('a client that always uses one source port', () => {
  test.each(modes)('gets one file after the other with %s', async (mode) => {
    const servers = await Promise.all([startServer('atftpd'), startServer('atftpd')]);
    const sizes = [0, 100, 512, 5_000, 0, 511, 513, 40_000];
    for (const { root } of servers) for (const size of sizes) publish(root, `file-${size}`, noise(size));
    const balancer = await startBalancer(servers, { flags: [mode] });
    const sourcePort = await freePort('127.0.0.1');
    for (const size of sizes) {
      const received = await get('tftp-hpa', { ...balancer.listener, file: `file-${size}`, sourcePort });
      expect(sha256(received), `${size} bytes`).toBe(sha256(noise(size)));
    }
    const sessions = await balancer.ended(sizes.length);
    expect(new Set(sessions.map(({ client }) => client))).toEqual(new Set([`127.0.0.1:${sourcePort}`]));
    expect(balancer.shares()).toEqual({ b0: sizes.length / 2, b1: sizes.length / 2 });
  });
});
