import { describe, expect, it } from 'vitest';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { type Net, NetError } from '../../../src/net/net.ts';
import type { ListenHandlers } from '../../../src/net/tcp.ts';
import { changedNet } from '../../helpers/changed-net.ts';
import { FtpLab, useFtpLab } from '../../helpers/ftp-lab.ts';

const start = useFtpLab();

const two = [
  { address: '10.0.0.1', port: 21 },
  { address: '10.0.0.2', port: 21 },
];

describe('the listeners of an FTP service', () => {
  it('on an unspecified address serve each address, and sessions know which it was', async () => {
    const { lab } = await start({ service: { listeners: [{ address: '0.0.0.0', port: 21 }] } });
    const client = await lab.client(undefined, '10.0.0.2');
    await client.line();
    expect(await client.ask('QUIT')).toBe('221 bye');
    expect(lab.of('ftp.session.end')).toMatchObject([{ vip: '10.0.0.2:21' }]);
    expect(lab.engine.listening()).toEqual([{ service: 'ftp', endpoint: { address: '0.0.0.0', port: 21 } }]);
    expect(lab.of('listener.up')).toMatchObject([{ service: 'ftp', listener: '0.0.0.0:21' }]);
  });

  it('on port 0 are where the system wants them', async () => {
    const { lab } = await start({ service: { listeners: [{ address: '10.0.0.1', port: 0 }] } });
    const [listening] = lab.engine.listening();
    expect(listening?.endpoint.port).toBeGreaterThan(1_023);
    expect(lab.of('listener.up')).toMatchObject([{ listener: `10.0.0.1:${listening?.endpoint.port}` }]);
  });

  it('that cannot be had fail the start, and none stays open', async () => {
    const listeners = [...two, { address: '192.0.2.1', port: 21 }];
    const lab = new FtpLab({ service: { listeners } });
    await expect(lab.net.play(lab.engine.start())).rejects.toMatchObject({
      code: 'TLB_ERR_ADDRESS_NOT_LOCAL',
    });
    expect(lab.balancer.openSockets).toBe(0);
    expect(lab.of('listener.down')).toHaveLength(2);
  });

  it('that are still being opened when all is stopped do not stay', async () => {
    const lab = new FtpLab({ service: { listeners: two }, wrap: slow });
    const started = lab.engine.start();
    await lab.pass(50);
    await lab.net.play(lab.engine.stop());
    await lab.net.play(started);
    await lab.pass(1_000);
    expect([lab.balancer.openSockets, lab.engine.listening(), lab.of('listener.up')]).toEqual([0, [], []]);
  });

  it('that fail come back as soon as they can be had', async () => {
    const opened: ListenHandlers[] = [];
    let isBarred = false;
    const fragile = (host: MemoryHost): Net =>
      changedNet(host, {
        listenTcp: (at, handlers) => {
          if (isBarred) return Promise.reject(new NetError('TLB_ERR_SOCKET', 'not now'));
          opened.push(handlers);
          return host.listenTcp(at, handlers);
        },
      });
    const { lab } = await start({ wrap: fragile });
    const client = await lab.loggedIn();
    isBarred = true;
    opened[0]?.onError(new NetError('TLB_ERR_SOCKET', 'it broke', { closed: true }));
    expect(lab.of('listener.down')).toMatchObject([{ listener: '10.0.0.1:21', error: 'it broke' }]);
    expect(lab.engine.listening()).toEqual([]);
    await lab.pass(6_000);
    expect(await client.ask('NOOP')).toBe('200 fine');
    isBarred = false;
    await lab.pass(6_000);
    expect(lab.of('listener.up')).toHaveLength(2);
    expect((await (await lab.client()).line()).slice(0, 3)).toBe('220');
    opened[1]?.onError(new NetError('TLB_ERR_SOCKET', 'it broke again', { closed: true }));
    lab.engine.drain();
    await lab.pass(20_000);
    expect(lab.of('listener.up')).toHaveLength(2);
  });
});

/** A net whose listeners take their time. */
function slow(host: MemoryHost): Net {
  return changedNet(host, {
    listenTcp: async (at, handlers) => {
      await new Promise<void>((resolve) => host.setTimer(100, resolve));
      return host.listenTcp(at, handlers);
    },
  });
}
