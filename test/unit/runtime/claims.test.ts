import { describe, expect, it } from 'vitest';
import type { ListenerSpec, Service } from '../../../src/engine/snapshot.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import { claimListeners } from '../../../src/runtime/claims.ts';
import { ftpService } from '../../helpers/ftp-lab.ts';
import { labService } from '../../helpers/lab.ts';

const [one, other] = ['192.0.2.1', '192.0.2.2'];
const deaf = { onDatagram: () => undefined, onError: () => undefined };
const nobody = { onConnection: () => undefined, onError: () => undefined };

function host(): MemoryHost {
  return new MemoryNet({ seed: 1 }).host([one, other]);
}

function serviceAt(kind: Service['kind'], ...listeners: readonly ListenerSpec[]): Service {
  const pool = { backends: [] };
  if (kind === 'tftp') return { ...labService, listeners, pool };
  return { ...ftpService, listeners, pool, passivePool: new SharedArrayBuffer(0) };
}

describe.each(['tftp', 'ftp'] as const)('the listeners of %s', (kind) => {
  /** Holds the address as another program would. */
  async function hold(net: MemoryHost, address: string, port: number): Promise<void> {
    if (kind === 'tftp') net.bindUdp({ address, port }, deaf);
    else await net.listenTcp({ address, port }, nobody);
  }

  it('keep the port that was asked for, and nothing stays bound', async () => {
    const net = host();
    const specs = [one, other].map((address) => ({ address, port: 6969 }));
    const claimed = await claimListeners(net, serviceAt(kind, ...specs), true);
    expect(claimed).toEqual([one, other].map((address) => ({ address, port: 6969, isShared: true })));
    expect(net.openSockets).toBe(0);
  });

  it('get one port each where the system may choose, shared or not', async () => {
    const net = host();
    for (const isShared of [true, false]) {
      const service = serviceAt(kind, { address: one, port: 0 });
      const [claimed] = await claimListeners(net, service, isShared);
      expect(claimed).toEqual({ address: one, port: expect.any(Number), isShared });
      expect(claimed?.port).toBeGreaterThan(0);
    }
    expect(net.openSockets).toBe(0);
  });

  it('that somebody else has are in use, though he would share them', async () => {
    const net = host();
    const binding = { address: one, port: 6969, reusePort: true };
    if (kind === 'tftp') net.bindUdp(binding, deaf);
    else await net.listenTcp(binding, nobody);
    const service = serviceAt(kind, { address: one, port: 6969 });
    await expect(claimListeners(net, service, true)).rejects.toMatchObject({
      code: 'TLB_ERR_ADDRESS_IN_USE',
    });
    expect(net.openSockets).toBe(1);
  });

  it('of one worker alone are left to it', async () => {
    const net = host();
    await hold(net, one, 6969);
    const service = serviceAt(kind, { address: one, port: 6969 });
    await expect(claimListeners(net, service, false)).resolves.toHaveLength(1);
  });

  it('on an address that is not of this host are refused', async () => {
    const service = serviceAt(kind, { address: '198.51.100.9', port: 6969 });
    await expect(claimListeners(host(), service, true)).rejects.toMatchObject({
      code: 'TLB_ERR_ADDRESS_NOT_LOCAL',
    });
  });
});

describe('all local addresses', () => {
  it('are looked at one by one for UDP, where each has a socket of its own', async () => {
    const net = host();
    const service = serviceAt('tftp', { address: '0.0.0.0', port: 6969 });
    net.bindUdp({ address: other, port: 6969 }, deaf);
    await expect(claimListeners(net, service, true)).rejects.toThrow(other);
  });

  it('may come and go meanwhile', async () => {
    const net = host();
    const service = serviceAt('tftp', { address: '0.0.0.0', port: 6969 });
    const gone = [{ address: '198.51.100.9', family: 4, device: 'eth0' } as const];
    net.localAddresses = () => gone;
    await expect(claimListeners(net, service, true)).resolves.toMatchObject([{ address: '0.0.0.0' }]);
  });
});
