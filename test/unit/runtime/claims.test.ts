import { describe, expect, it } from 'vitest';
import type { ListenerSpec, Service } from '../../../src/engine/snapshot.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import { NetError } from '../../../src/net/net.ts';
import { Claims, tryAdded } from '../../../src/runtime/claims.ts';
import type { SocketLender } from '../../../src/runtime/node-threads.ts';
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

function claimsOn(
  net: MemoryHost,
  { isShared = true, lender }: { isShared?: boolean; lender?: Lender } = {},
): Claims {
  return new Claims({ net, lender, isShared: () => isShared });
}

/** Claims the listeners of one service. Returns where they are. */
async function claim(
  net: MemoryHost,
  service: Service,
  isShared: boolean,
  isTested = false,
): Promise<readonly ListenerSpec[]> {
  const claims = claimsOn(net, { isShared });
  await claims.claim([service], isTested);
  return claims.of(service);
}

/** Lends ports one after the other, and has none for port 13. */
class Lender implements SocketLender {
  readonly calls: string[] = [];
  #next = 30_000;

  claim(_kind: Service['kind'], { address, port }: ListenerSpec): ListenerSpec {
    if (port === 13) throw new NetError('TLB_ERR_ADDRESS_IN_USE', 'it is in use');
    const claimed = port === 0 ? this.#next++ : port;
    this.calls.push(`claim ${claimed}`);
    return { address, port: claimed };
  }

  release(_kind: Service['kind'], { port }: ListenerSpec): void {
    this.calls.push(`release ${port}`);
  }

  lentTo(): [] {
    return [];
  }

  close(): void {}
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
    const claimed = await claim(net, serviceAt(kind, ...specs), true);
    expect(claimed).toEqual([one, other].map((address) => ({ address, port: 6969, isShared: true })));
    expect(net.openSockets).toBe(0);
  });

  it('get one port each where the system may choose, shared or not', async () => {
    const net = host();
    for (const isShared of [true, false]) {
      const service = serviceAt(kind, { address: one, port: 0 });
      const [claimed] = await claim(net, service, isShared);
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
    await expect(claim(net, service, true)).rejects.toMatchObject({
      code: 'TLB_ERR_ADDRESS_IN_USE',
    });
    expect(net.openSockets).toBe(1);
  });

  it('of one worker alone are left to it', async () => {
    const net = host();
    await hold(net, one, 6969);
    const service = serviceAt(kind, { address: one, port: 6969 });
    await expect(claim(net, service, false)).resolves.toHaveLength(1);
  });

  it('of one worker are looked at first where it would be too late for it to tell', async () => {
    const net = host();
    await hold(net, one, 6969);
    const service = serviceAt(kind, { address: one, port: 6969 });
    await expect(claim(net, service, false, true)).rejects.toMatchObject({ code: 'TLB_ERR_ADDRESS_IN_USE' });
    await expect(tryAdded(net, [], [service])).rejects.toMatchObject({ code: 'TLB_ERR_ADDRESS_IN_USE' });
    await expect(tryAdded(net, [service], [service])).resolves.toBeUndefined();
  });

  it('on an address that is not of this host are refused', async () => {
    const service = serviceAt(kind, { address: '198.51.100.9', port: 6969 });
    await expect(claim(host(), service, true)).rejects.toMatchObject({
      code: 'TLB_ERR_ADDRESS_NOT_LOCAL',
    });
  });
});

describe('all local addresses', () => {
  it('are looked at one by one for UDP, where each has a socket of its own', async () => {
    const net = host();
    const service = serviceAt('tftp', { address: '0.0.0.0', port: 6969 });
    net.bindUdp({ address: other, port: 6969 }, deaf);
    await expect(claim(net, service, true)).rejects.toThrow(other);
  });

  it('may come and go meanwhile', async () => {
    const net = host();
    const service = serviceAt('tftp', { address: '0.0.0.0', port: 6969 });
    const gone = [{ address: '198.51.100.9', family: 4, device: 'eth0' } as const];
    net.localAddresses = () => gone;
    await expect(claim(net, service, true)).resolves.toMatchObject([{ address: '0.0.0.0' }]);
  });
});

const at = (port: number): ListenerSpec => ({ address: one, port });
const named = (name: string, ...listeners: readonly ListenerSpec[]): Service => {
  return { ...serviceAt('tftp', ...listeners), name };
};

describe('claims', () => {
  it('stay what they are while any service wants them, and go with the last', async () => {
    const lender = new Lender();
    const claims = claimsOn(host(), { lender });
    const [before, now] = [[named('a', at(69), at(0))], [named('a', at(0)), named('b', at(69), at(70))]];
    await claims.claim(before, true);
    await claims.claim(now, true);
    expect(lender.calls).toEqual(['claim 69', 'claim 30000', 'claim 70']);
    expect(now.map((service) => claims.of(service).map(({ port }) => port))).toEqual([[30_000], [69, 70]]);
    claims.leave(before, now);
    claims.leave(now, [named('b', at(69))]);
    claims.sweep(() => false);
    expect(lender.calls.slice(3)).toEqual(['release 30000', 'release 70']);
  });

  it('that nobody wants stay while somebody holds them, and until then may be wanted again', async () => {
    const lender = new Lender();
    const claims = claimsOn(host(), { lender });
    const before = [named('a', at(69), at(70))];
    await claims.claim(before, true);
    claims.leave(before, []);
    claims.sweep((service, { port }) => service === 'a' && port === 69);
    const undo = await claims.claim([named('b', at(69))], true);
    claims.sweep(() => false);
    expect(lender.calls).toEqual(['claim 69', 'claim 70', 'release 70']);
    undo();
    claims.sweep(() => false);
    expect(lender.calls.at(-1)).toBe('release 69');
  });

  it('of ports that the system chooses are not taken over by another service', async () => {
    const claims = claimsOn(host(), { lender: new Lender() });
    const [a, b] = [named('a', at(0)), named('b', at(0))];
    await claims.claim([a, b], true);
    expect([claims.of(a), claims.of(b)]).toMatchObject([[{ port: 30_000 }], [{ port: 30_001 }]]);
  });

  it('are given back where one of several cannot be had, or all turn out to be in vain', async () => {
    const lender = new Lender();
    const claims = claimsOn(host(), { lender });
    await expect(claims.claim([named('a', at(69), at(13), at(70))], true)).rejects.toThrow('in use');
    const undo = await claims.claim([named('a', at(69), at(70))], true);
    undo();
    expect(lender.calls.join()).toBe('claim 69,release 69,claim 69,claim 70,release 69,release 70');
  });
});
