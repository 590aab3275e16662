/** How many sessions there may be: the clients are real, the refusals are on the wire, in the log and in the metrics. */
import { afterAll, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { stopAll } from '../helpers/processes.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';
import { describeFlags } from './flags.ts';
import { connectTo, startFtpBalancer, startFtpServer } from './ftp.ts';

const image = noise(2_000);

afterAll(stopAll);

/** Sends one request more. Returns the ERROR that comes back. */
async function refusal(listener: Endpoint): Promise<{ code: number; message: string }> {
  const client = await UdpPeer.open();
  client.send(encodeRequest(Opcode.rrq, 'one-more', 'octet'), listener);
  const { data } = await client.next();
  expect(data.readUInt16BE()).toBe(Opcode.error);
  return { code: data.readUInt16BE(2), message: data.toString('latin1', 4) };
}

/** Expects that one request more is refused for `reason`, and told of everywhere. */
async function expectRefusal(balancer: Balancer, reason: string, message: string): Promise<void> {
  expect(await refusal(balancer.listener)).toEqual({ code: ErrorCode.notDefined, message: `${message}\0` });
  await balancer.said({ event: 'session.reject', reason, file: 'one-more', level: 'warn' });
  expect(await balancer.metric('tftplb_requests_rejected_total', { reason })).toBe(1);
}

/** Expects that one FTP session more, from this address, gets this reply, and that it is told of everywhere. */
async function expectFtpRefusal(
  balancer: Balancer,
  { from, reason, reply }: { readonly from: string; readonly reason: string; readonly reply: string },
): Promise<void> {
  const client = await connectTo(balancer.listener, from);
  expect(await client.line()).toBe(reply);
  await client.until('the end', () => client.ear.events.includes('end'));
  await balancer.said({ event: 'session.reject', reason, level: 'warn' });
  expect(await balancer.metric('tftplb_requests_rejected_total', { reason })).toBe(1);
}

/** A session that was greeted. */
async function greeted(balancer: Balancer, from?: string): Promise<FtpClient> {
  const client = await connectTo(balancer.listener, from);
  expect(await client.line()).toMatch(/^220 /);
  return client;
}

const tooMany = 'too many transfers, try again later';

describeFlags('Limits', {
  maxSessions: () => {
    test('is how many sessions there may be at a time', async () => {
      const balancer = await startBalancer([startEmbedded({ image })], { flags: ['--max-sessions=2'] });
      const { listener } = balancer;
      const held = [
        await HeldDownload.begin(listener, 'image'),
        await HeldDownload.begin(listener, 'image', '127.0.0.2'),
      ];
      await expectRefusal(balancer, 'max-sessions', tooMany);
      for (const download of held) expect(await download.finish()).toEqual(image);
      await balancer.ended(2);
      expect((await fetchFile(listener, 'image')).bytes).toEqual(image);
    });

    test('0 is no limit, and nor are the other ones when they are 0', async () => {
      const flags = ['--max-sessions=0', '--max-sessions-per-client=0', '--max-sessions-per-backend=0'];
      const { listener } = await startBalancer([startEmbedded({ image })], { flags });
      const begin = (): Promise<HeldDownload> => HeldDownload.begin(listener, 'image');
      const held = [await begin(), await begin(), await begin()];
      for (const download of held) expect(await download.finish()).toEqual(image);
    });
  },

  maxSessionsPerClient: () => {
    test('is how many sessions one address may have, whatever its ports', async () => {
      const flags = ['--max-sessions-per-client=1', '--workers=1'];
      const balancer = await startBalancer([startEmbedded({ image })], { flags });
      const { listener } = balancer;
      const held = await HeldDownload.begin(listener, 'image');
      await expectRefusal(balancer, 'max-sessions-per-client', tooMany);
      const other = await HeldDownload.begin(listener, 'image', '127.0.0.2');
      expect(await other.finish()).toEqual(image);
      expect(await held.finish()).toEqual(image);
    });
  },

  maxSessionsPerBackend: () => {
    test('is how many sessions each server may have', async () => {
      const servers = [startEmbedded({ image }), startEmbedded({ image })];
      const balancer = await startBalancer(servers, { flags: ['--max-sessions-per-backend=1'] });
      const { listener } = balancer;
      const held = [await HeldDownload.begin(listener, 'image'), await HeldDownload.begin(listener, 'image')];
      expect(servers.map(({ requests }) => requests.length)).toEqual([1, 1]);
      await expectRefusal(balancer, 'no-backend', 'no server is available, try again later');
      for (const download of held) expect(await download.finish()).toEqual(image);
    });
  },

  ftpMaxSessions: () => {
    test('is how many sessions there may be at a time', async () => {
      const balancer = await startFtpBalancer([await startFtpServer()], '--ftp-max-sessions=2');
      const [first] = [await greeted(balancer), await greeted(balancer, '127.0.0.2')];
      const reply = '421 Too many connections, try again later.';
      await expectFtpRefusal(balancer, { from: '127.0.0.3', reason: 'max-sessions', reply });
      await first?.ask('QUIT');
      await balancer.said({ event: 'ftp.session.end', end: 'quit' });
      await greeted(balancer, '127.0.0.3');
    });

    test('0 is no limit, and nor are the other ones when they are 0', async () => {
      const flags = [
        '--ftp-max-sessions=0',
        '--ftp-max-sessions-per-client=0',
        '--ftp-max-sessions-per-backend=0',
      ];
      const balancer = await startFtpBalancer([await startFtpServer()], ...flags);
      for (let at = 0; at < 3; at += 1) await greeted(balancer);
    });
  },

  ftpMaxSessionsPerClient: () => {
    test('is how many sessions one address may have', async () => {
      const balancer = await startFtpBalancer(
        [await startFtpServer()],
        '--ftp-max-sessions-per-client=1',
        '--workers=1',
      );
      await greeted(balancer);
      const reply = '421 Too many connections from your address, try again later.';
      await expectFtpRefusal(balancer, { from: '127.0.0.1', reason: 'max-sessions-per-client', reply });
      await greeted(balancer, '127.0.0.2');
    });
  },

  ftpMaxSessionsPerBackend: () => {
    test('is how many sessions each server may have', async () => {
      const servers = [await startFtpServer(), await startFtpServer()];
      const balancer = await startFtpBalancer(servers, '--ftp-max-sessions-per-backend=1');
      for (let at = 0; at < 2; at += 1) await greeted(balancer);
      expect(servers.map(({ server }) => server.sessions.length)).toEqual([1, 1]);
      const client = await connectTo(balancer.listener);
      expect(await client.line()).toMatch(/^421 /);
      await balancer.said({ event: 'ftp.session.end', end: 'no-backend' });
      expect(servers.map(({ server }) => server.sessions.length)).toEqual([1, 1]);
    });
  },

  limitAnswer: () => {
    test('silent leaves a client that is refused without an answer', async () => {
      const flags = ['--max-sessions=1', '--limit-answer=silent'];
      const balancer = await startBalancer([startEmbedded({ image })], { flags });
      const held = await HeldDownload.begin(balancer.listener, 'image');
      const client = await UdpPeer.open();
      client.send(encodeRequest(Opcode.rrq, 'one-more', 'octet'), balancer.listener);
      await balancer.said({ event: 'session.reject', reason: 'max-sessions', file: 'one-more' });
      expect(await held.finish()).toEqual(image);
      await balancer.ended(1);
      // What comes first is the answer to this request, not to the one before it.
      client.send(encodeRequest(Opcode.rrq, 'image', 'octet'), balancer.listener);
      expect((await client.next()).data.readUInt16BE()).toBe(Opcode.data);
    });
  },
});
