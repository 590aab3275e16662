/** How the balancer ends while transfers run: what clients, orchestrators and the shell see of it. */
import { afterAll, describe, expect, test } from 'vitest';
import { encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { startEmbedded } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';

const image = noise(5_000);

afterAll(stopAll);

interface Scene {
  readonly balancer: Balancer;
  readonly held: HeldDownload;
}

/** A balancer with one transfer that stands still. */
async function transferring(...flags: readonly string[]): Promise<Scene> {
  const balancer = await startBalancer([startEmbedded({ image })], { flags });
  return { balancer, held: await HeldDownload.begin(balancer.listener, 'image') };
}

/** Waits until it drains. */
async function drain({ program }: Balancer, signal: NodeJS.Signals): Promise<void> {
  program.signal(signal);
  await until('it drains', () => program.stdout.includes('"draining"') || undefined);
}

describe.each(['SIGTERM', 'SIGINT'] as const)('%s', (signal) => {
  test('lets a running transfer finish, answers no request, and ends with 0', async () => {
    const { balancer, held } = await transferring();
    await drain(balancer, signal);

    const ready = await balancer.admin('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ ready: false, reasons: ['draining'] });
    expect((await balancer.admin('/healthz')).status).toBe(200);
    expect(await balancer.status()).toMatchObject({ draining: true, services: [{ sessions: 1 }] });

    const client = await UdpPeer.open();
    client.send(encodeRequest(Opcode.rrq, 'image', 'octet'), balancer.listener);
    await balancer.said({ event: 'session.reject', reason: 'draining', file: undefined });

    expect(await held.finish()).toEqual(image);
    expect(await balancer.program.ended).toMatchObject({ code: 0, stderr: '' });
    expect(client.received).toEqual([]);
    expect(balancer.sessions()).toMatchObject([{ result: 'ok', bytes: image.length }]);
    await balancer.said({ msg: 'stopping', outcome: 'drained' });
  });

  test('given a second time ends at once with 3, and the transfer is reported as given up', async () => {
    const { balancer } = await transferring('--drain-timeout=1h');
    await drain(balancer, signal);
    balancer.program.signal(signal);
    expect(await balancer.program.ended).toMatchObject({ code: 3, stderr: '' });
    await balancer.said({ msg: 'stopping', outcome: 'forced' });
    const error = { from: 'balancer', code: ErrorCode.notDefined };
    expect(balancer.sessions()).toMatchObject([{ result: 'error', error, level: 'warn' }]);
  });
});

test('a transfer that outlasts the drain is ended at both ends, and the exit code is 3', async () => {
  const [server, client] = await Promise.all([UdpPeer.open(), UdpPeer.open()]);
  const balancer = await startBalancer([server], { flags: ['--drain-timeout=0'] });
  client.send(encodeRequest(Opcode.rrq, 'image', 'octet'), balancer.listener);
  server.send(Buffer.from([0, Opcode.data, 0, 1, ...image.subarray(0, 512)]), (await server.next()).from);
  await client.next();
  balancer.program.signal('SIGTERM');
  for (const peer of [client, server]) {
    expect((await peer.next()).data.toString('latin1')).toBe(
      '\0\u0005\0\0transfer given up by the load balancer\0',
    );
  }
  expect(await balancer.program.ended).toMatchObject({ code: 3, stderr: '' });
  await balancer.said({ msg: 'stopping', outcome: 'timed-out' });
});
