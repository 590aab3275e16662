/** Who is served, how often, and by whom: the clients are real, the refusals are on the wire, in the log and in the metrics. */
import { afterAll, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import { type Balancer, startBalancer } from '../helpers/balancer.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import { stopAll } from '../helpers/processes.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';
import { describeFlags } from './flags.ts';
import { connectTo, startFtpBalancer, startFtpServer } from './ftp.ts';

const image = noise(2_000);
const files = { image, 'secret/key': image, 'boot/a.efi': image };
const [local, other] = ['127.0.0.1', '127.0.0.2'];

afterAll(stopAll);

/** Asks for a file. Returns the code of the ERROR, or -1 for anything else. */
async function codeFor(listener: Endpoint, file: string, from = local): Promise<number> {
  const client = await UdpPeer.open(from);
  client.send(encodeRequest(Opcode.rrq, file, 'octet'), listener);
  const { data } = await client.next();
  return data.readUInt16BE() === Opcode.error ? data.readUInt16BE(2) : -1;
}

/** The first line of a reply to a connection. */
async function greetingFor({ listener }: Balancer, from: string): Promise<string> {
  return (await connectTo(listener, from)).line();
}

async function expectTold(balancer: Balancer, reason: string, count = 1): Promise<void> {
  await balancer.said({ event: 'session.reject', reason });
  expect(await balancer.metric('tftplb_requests_rejected_total', { reason })).toBe(count);
}

describeFlags('Traffic', {
  allow: () => {
    test('serves the clients of these networks, and nobody else', async () => {
      const flags = [`--allow=${other}/32`, '--allow=::/0'];
      const balancer = await startBalancer([startEmbedded(files)], { flags });
      expect(await codeFor(balancer.listener, 'image')).toBe(ErrorCode.accessViolation);
      await expectTold(balancer, 'denied-address');
      expect(await (await HeldDownload.begin(balancer.listener, 'image', other)).finish()).toEqual(image);
    });
  },

  deny: () => {
    test('refuses the clients of these networks, also where another one allows them', async () => {
      const flags = ['--allow=127.0.0.0/8', `--deny=${local}`];
      const balancer = await startFtpBalancer([await startFtpServer()], ...flags);
      expect(await greetingFor(balancer, local)).toBe('421 Service not available to your address.');
      await expectTold(balancer, 'denied-address');
      expect(await greetingFor(balancer, other)).toMatch(/^220 /);
    });
  },

  allowFile: () => {
    test('is what may be asked for, and nothing else', async () => {
      const balancer = await startBalancer([startEmbedded(files)], { flags: ['--allow-file=boot/**'] });
      expect(await codeFor(balancer.listener, 'image')).toBe(ErrorCode.accessViolation);
      await expectTold(balancer, 'denied-name');
      expect((await fetchFile(balancer.listener, 'boot/a.efi')).bytes).toEqual(image);
    });
  },

  denyFile: () => {
    test('is what may not be asked for, however it is written', async () => {
      const balancer = await startBalancer([startEmbedded(files)], { flags: ['--deny-file=secret/*'] });
      expect(await codeFor(balancer.listener, 'secret/key')).toBe(ErrorCode.accessViolation);
      expect(await codeFor(balancer.listener, '/secret//key')).toBe(ErrorCode.accessViolation);
      await expectTold(balancer, 'denied-name', 2);
      expect((await fetchFile(balancer.listener, 'image')).bytes).toEqual(image);
    });
  },

  rate: () => {
    test('is how often a client may ask, whichever of two workers hears it', async () => {
      const flags = ['--rate=2/h', '--workers=2'];
      const balancer = await startBalancer([startEmbedded(files)], { flags });
      const codes: number[] = [];
      for (let n = 0; n < 8; n += 1) codes.push(await codeFor(balancer.listener, 'image'));
      expect(codes).toEqual([-1, -1, 0, 0, 0, 0, 0, 0]);
      await expectTold(balancer, 'rate-per-client', 6);
      expect(await codeFor(balancer.listener, 'image', other)).toBe(-1);
    });

    test('is how often a client may connect', async () => {
      const balancer = await startFtpBalancer([await startFtpServer()], '--rate=2/h,1', '--workers=2');
      expect(await greetingFor(balancer, local)).toMatch(/^220 /);
      const tooOften = '421 Too many connections in a short time, try again later.';
      expect(await greetingFor(balancer, local)).toBe(tooOften);
      await expectTold(balancer, 'rate-per-client');
      expect(await greetingFor(balancer, other)).toMatch(/^220 /);
    });
  },

  affinity: () => {
    test('keeps a client with its server, whichever of two workers hears it', async () => {
      const servers = [startEmbedded(files), startEmbedded(files), startEmbedded(files)];
      const flags = ['--affinity=1h', '--workers=2'];
      const balancer = await startBalancer(servers, { flags });
      for (let n = 0; n < 4; n += 1) {
        for (const from of [local, other]) {
          await (await HeldDownload.begin(balancer.listener, 'image', from)).finish();
        }
      }
      const pairs = (await balancer.ended(8)).map(
        ({ client, backend }) => `${client.split(':')[0]} ${backend}`,
      );
      expect(new Set(pairs)).toEqual(new Set([`${local} b0`, `${other} b1`]));
    });
  },
});
