/** Several threads in one process, as clients, servers and operators see them: as one balancer. */
import { randomInt } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import { encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import { type Balancer, startBalancer } from '../helpers/balancer.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { tcpPortsOf, udpPortsOf } from '../helpers/kernel.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';
import { runTftpLb } from './cli.ts';
import { connectTo, loginTo, startFtpBalancer, startFtpServer } from './ftp.ts';

const image = noise(2_000);
const four = '--workers=4';

afterAll(stopAll);

async function times<T>(count: number, act: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => act(n)));
}

/** How many sockets the balancer listens with. */
function listeningSockets({ program, listener }: Balancer, portsOf: (pid: number) => number[]): number {
  return portsOf(program.pid ?? 0).filter((port) => port === listener.port).length;
}

/** The names that `count` sessions, which stay, are greeted with; how often each. */
async function greetings(balancer: Balancer, count: number): Promise<[Map<string, number>, FtpClient[]]> {
  const clients = await times(count, () => connectTo(balancer.listener));
  const names = new Map<string, number>();
  for (const client of clients) {
    const line = await client.line();
    names.set(line, (names.get(line) ?? 0) + 1);
  }
  return [names, clients];
}

describe('TFTP over four workers', () => {
  test('is shared out over the servers exactly, from one port that the system chose', async () => {
    const servers = [0, 1, 2].map(() => startEmbedded({ image }));
    const balancer = await startBalancer(servers, { flags: [four] });
    expect(balancer.listeners).toHaveLength(1);
    expect(listeningSockets(balancer, udpPortsOf)).toBe(4);
    for (let round = 0; round < 5; round += 1) {
      const fetched = await times(24, () => fetchFile(balancer.listener, 'image'));
      for (const { bytes } of fetched) expect(bytes).toEqual(image);
    }
    await balancer.ended(120);
    expect(balancer.shares()).toEqual({ b0: 40, b1: 40, b2: 40 });
    expect(await balancer.metric('tftplb_listeners')).toBe(1);
    expect(await balancer.metric('tftplb_sessions_started_total')).toBe(120);
  });

  test('has the limit of each server in all of them together', async () => {
    const servers = [startEmbedded({ image }), startEmbedded({ image })];
    const flags = [four, '--max-sessions-per-backend=2'];
    const balancer = await startBalancer(servers, { flags });
    const held: HeldDownload[] = [];
    for (let n = 0; n < 4; n += 1) held.push(await HeldDownload.begin(balancer.listener, 'image'));
    for (let n = 0; n < 8; n += 1) {
      const client = await UdpPeer.open();
      client.send(encodeRequest(Opcode.rrq, 'one-more', 'octet'), balancer.listener);
      const { data } = await client.next();
      expect([data.readUInt16BE(), data.readUInt16BE(2)]).toEqual([Opcode.error, ErrorCode.notDefined]);
    }
    expect(await balancer.metric('tftplb_requests_rejected_total', { reason: 'no-backend' })).toBe(8);
    for (const download of held) expect(await download.finish()).toEqual(image);
  });

  test('with --single-port is served by one of them where their sockets would go with them', async () => {
    const flags = [four, '--single-port', '--engine=portable'];
    const balancer = await startBalancer([startEmbedded({ image })], { flags });
    expect(listeningSockets(balancer, udpPortsOf)).toBe(1);
    await times(8, () => fetchFile(balancer.listener, 'image'));
  });

  test('drains in all of them: what runs goes on, and no request is answered', async () => {
    const balancer = await startBalancer([startEmbedded({ image })], { flags: [four] });
    const held = await times(12, () => HeldDownload.begin(balancer.listener, 'image'));
    balancer.program.signal('SIGTERM');
    await balancer.said({ msg: 'draining' });
    const clients = await times(24, () => UdpPeer.open());
    for (const client of clients) {
      client.send(encodeRequest(Opcode.rrq, 'image', 'octet'), balancer.listener);
    }
    await until('all are refused', async () => {
      const refused = await balancer.metric('tftplb_requests_rejected_total', { reason: 'draining' });
      return refused === 24 ? true : undefined;
    });
    for (const download of held) expect(await download.finish()).toEqual(image);
    expect(await balancer.program.ended).toMatchObject({ code: 0, stderr: '' });
    expect(clients.flatMap(({ received }) => received)).toEqual([]);
    expect(balancer.sessions().map(({ result }) => result)).toEqual(Array(12).fill('ok'));
  });

  test('ends in all of them when it is forced to, and every client is told', async () => {
    const flags = [four, '--drain-timeout=0'];
    const balancer = await startBalancer([startEmbedded({ image })], { flags });
    const clients = await times(12, async () => {
      const client = await UdpPeer.open();
      client.send(encodeRequest(Opcode.rrq, 'image', 'octet'), balancer.listener);
      await client.next();
      return client;
    });
    balancer.program.signal('SIGTERM');
    for (const client of clients) {
      const { data } = await client.next();
      expect(data.toString('latin1')).toContain('given up by the load balancer');
    }
    expect(await balancer.program.ended).toMatchObject({ code: 3, stderr: '' });
    expect(balancer.sessions()).toHaveLength(12);
  });
});

describe('FTP over four workers', () => {
  test('is shared out over the servers exactly, and drains in all of them', async () => {
    const servers = await times(3, (n) => startFtpServer({ name: `s${n}` }));
    const balancer = await startFtpBalancer(servers, four);
    expect(balancer.listeners).toHaveLength(1);
    expect(listeningSockets(balancer, tcpPortsOf)).toBeGreaterThanOrEqual(4);
    const [names, clients] = await greetings(balancer, 24);
    expect([...names.values()]).toEqual([8, 8, 8]);
    balancer.program.signal('SIGTERM');
    for (const client of clients) expect(await client.line()).toMatch(/^421 /);
    expect(await balancer.program.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('lends each passive port once', async () => {
    const vip = ownLoopback();
    const first = randomInt(20_000, 30_000);
    const balancer = await startBalancer([await startFtpServer()], {
      protocol: 'ftp',
      vips: [vip],
      flags: [four, `--passive-ports=${first}-${first + 11}`],
    });
    const clients = await times(12, () => loginTo(balancer.listener));
    const ports = await times(12, async (n) => (await clients[n]?.epsv())?.port ?? 0);
    const all = Array.from({ length: 12 }, (_, n) => first + n);
    expect(ports.toSorted((a, b) => a - b)).toEqual(all);
    expect(await balancer.metric('tftplb_ftp_passive_ports_used')).toBe(12);
    expect(await balancer.metric('tftplb_ftp_passive_ports')).toBe(12);
    const late = await loginTo(balancer.listener);
    expect(await late.ask('EPSV')).toMatch(/^425 /);
    await clients[0]?.ask('QUIT');
    await balancer.said({ event: 'ftp.session.end', end: 'quit' });
    expect((await late.epsv()).port).toBe(ports[0]);
  });

  test('has the limit of its sessions in all of them together', async () => {
    const balancer = await startFtpBalancer([await startFtpServer()], four, '--ftp-max-sessions=5');
    const [names] = await greetings(balancer, 5);
    expect([...names.values()]).toEqual([5]);
    for (let n = 0; n < 6; n += 1) {
      expect(await (await connectTo(balancer.listener)).line()).toMatch(/^421 Too many/);
    }
  });
});

describe('a second instance', () => {
  test.each(['tftp', 'ftp'] as const)('is told that the address is in use: %s', async (protocol) => {
    const servers = [protocol === 'tftp' ? startEmbedded() : await startFtpServer()];
    const { listener } = await startBalancer(servers, { protocol, flags: ['--workers=2'] });
    for (const workers of [1, 2]) {
      const { code, stderr } = await runTftpLb([
        '--vip=127.0.0.1',
        protocol === 'tftp' ? '--no-ftp' : '--no-tftp',
        `--${protocol}-port=${listener.port}`,
        '--backend=192.0.2.11',
        '--no-admin',
        '--log-level=fatal',
        `--workers=${workers}`,
      ]);
      expect([code, stderr]).toEqual([1, expect.stringContaining('another socket holds this address')]);
    }
  });

  test('in front of a wildcard address too', async () => {
    const { listener } = await startBalancer([startEmbedded()], { flags: ['--workers=2'] });
    const { code, stderr } = await runTftpLb([
      '--vip=0.0.0.0',
      '--no-ftp',
      `--tftp-port=${listener.port}`,
      '--backend=192.0.2.11',
      '--no-admin',
      '--log-level=fatal',
      '--workers=2',
    ]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/cannot bind (127\.0\.0\.1|0\.0\.0\.0) port \d+: another socket holds/);
  });
});
