/** How the balancer finds out which servers live: servers by script, whose checks are counted in the log. */
import { afterAll, expect, test } from 'vitest';
import { encodeError, ErrorCode } from '../../src/tftp/packet.ts';
import { decodeRequest } from '../../src/tftp/request.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { fetchFile, nobody, startEmbedded } from '../helpers/embedded.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { UdpPeer } from '../helpers/udp-peer.ts';
import { describeFlags } from './flags.ts';

const quick = ['--health-interval=100ms', '--health-timeout=100ms'];
const notFound = encodeError(ErrorCode.fileNotFound, 'no such file');

afterAll(stopAll);

/** Makes the server answer every check from now on. */
function revive(server: UdpPeer): void {
  server.onDatagram = ({ from }) => server.send(notFound, from);
}

/** The outcomes of the checks that the log tells of, up to the first line about `backend.state` `to`. */
function outcomesUntil(balancer: Balancer, to: string): unknown[] {
  const lines = balancer.lines();
  const end = lines.findIndex((line) => line.event === 'backend.state' && line['to'] === to);
  return lines.slice(0, end).flatMap((line) => (line.event === 'health.check' ? [line['outcome']] : []));
}

/** A server that is silent, and answers as soon as it is down: the outcomes until it was down, and until it was up. */
async function downAndUp(...flags: readonly string[]): Promise<{ down: unknown[]; up: unknown[] }> {
  const server = await UdpPeer.open();
  const balancer = await startBalancer([server], { flags: [...quick, '--log-level=trace', ...flags] });
  await balancer.said({ event: 'backend.state', to: 'down', from: 'up', reason: 'timeout' });
  revive(server);
  await balancer.said({ event: 'backend.state', to: 'up', from: 'down', reason: 'alive' });
  return { down: outcomesUntil(balancer, 'down'), up: outcomesUntil(balancer, 'up') };
}

describeFlags(
  'Health',
  {
    healthFile: () => {
      test.each([
        [[], 'tftp-lb-health'],
        [['--health-file=are/you/there'], 'are/you/there'],
      ])('with %j, checks ask for %s', async (flags, file) => {
        const server = await UdpPeer.open();
        await startBalancer([server], { flags: [...quick, ...flags] });
        expect(decodeRequest((await server.next()).data)).toMatchObject({ file, mode: 'octet', options: [] });
      });
    },

    healthInterval: () => {
      test('is the time between two checks', async () => {
        const server = startEmbedded();
        await startBalancer([server], { flags: ['--health-interval=100ms'] });
        await until('it was checked so often', () => server.requests.length > 5 || undefined);
      });

      test('0 turns checks off', async () => {
        const server = startEmbedded({ image: Buffer.from('image') });
        const balancer = await startBalancer([server], { flags: ['--health-interval=0'] });
        expect((await balancer.admin('/readyz')).status).toBe(200);
        await fetchFile(balancer.listener, 'image');
        expect(server.requests.map(({ file }) => file)).toEqual(['image']);
        expect(await balancer.metric('tftplb_health_checks_total')).toBe(0);
      });
    },

    healthTimeout: () => {
      test('is how long a server may take to answer', async () => {
        const balancer = await startBalancer([await UdpPeer.open()], { flags: quick });
        const timeouts = (): Promise<number> =>
          balancer.metric('tftplb_health_checks_total', { outcome: 'timeout' });
        await until('so many checks have failed', async () => (await timeouts()) > 5 || undefined);
      });
    },

    healthRise: () => {
      test('is how many good checks in a row bring a server up', async () => {
        const { up } = await downAndUp('--health-rise=3', '--health-fall=1');
        expect(up.length - 1 - up.lastIndexOf('timeout')).toBe(3);
      });
    },

    healthFall: () => {
      test('is how many failed checks in a row take a server down', async () => {
        const { down } = await downAndUp('--health-rise=1', '--health-fall=4');
        expect(down).toEqual(Array(4).fill('timeout'));
      });
    },

    ejectTime: () => {
      test('is how long a server that refused is tried last', async () => {
        const server = startEmbedded({ image: Buffer.from('image') });
        const balancer = await startBalancer([nobody, server], { flags: ['--eject-time=100ms'] });
        for (let at = 0; at < 2; at += 1) await fetchFile(balancer.listener, 'image');
        await balancer.said({ event: 'backend.state', backend: 'b0', to: 'ejected', reason: 'refused' });
        await balancer.said({ event: 'backend.state', backend: 'b0', to: 'readmitted' }, 5_000);
        expect(await balancer.metric('tftplb_ejections_total', { backend: 'b0' })).toBe(1);
      });
    },
  },
  ['ftpHealthUser', 'ftpHealthPassword', 'ftpHealthPasswordFile'],
);
