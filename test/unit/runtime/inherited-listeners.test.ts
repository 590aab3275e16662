import { afterEach, describe, expect, it } from 'vitest';
import { asOneLender, InheritedFtp, InheritedListeners } from '../../../src/runtime/inherited-listeners.ts';
import { openSockets } from '../../helpers/descriptors.ts';
import { duplicate } from '../../../src/linux/sockets.ts';
import { isElsewhere, SocketLab } from '../linux/kernel.ts';

const at = { address: '192.0.2.1', port: 21 };

describe.skipIf(isElsewhere)('inherited listeners', () => {
  const lab = new SocketLab();
  afterEach(() => lab.close());

  /** Two sockets, for two workers of which the first is number 2. */
  function scene() {
    const sockets = [lab.open(4), lab.open(4)].map((fd) => duplicate(lab.libc, fd));
    const inherited = new InheritedListeners([
      { kind: 'ftp', ...at, sockets },
      { kind: 'tftp', address: '::', port: 69, sockets: [] },
    ]);
    return { sockets, inherited, ftp: new InheritedFtp(lab.libc, inherited, { first: 2, count: 2 }) };
  }

  it('are taken once, and those that nobody takes are told', () => {
    const { inherited, ftp } = scene();
    expect(inherited.untaken).toEqual(['ftp 192.0.2.1:21', 'tftp [::]:69']);
    expect(inherited.take('tftp', at)).toBeUndefined();
    expect(ftp.claim('ftp', at)).toEqual({ ...at, isShared: true });
    expect(ftp.claim('ftp', at)).toBeUndefined();
    expect(ftp.claim('tftp', { address: '::', port: 69 })).toBeUndefined();
    expect(inherited.untaken).toEqual(['tftp [::]:69']);
    ftp.close();
  });

  it('are lent to the workers of their protocol, one socket to each', () => {
    const { sockets, ftp } = scene();
    ftp.claim('ftp', at);
    const [first, second] = sockets.map((fd) => [{ ...at, fd }]);
    expect([0, 1, 2, 3, 4].map((worker) => ftp.lentTo(worker))).toEqual([[], [], first, second, []]);
    ftp.close();
  });

  it('are closed when the listener is given up, or at the end', () => {
    const before = openSockets();
    const released = scene();
    released.ftp.claim('ftp', at);
    released.ftp.release('tftp', at);
    expect(openSockets()).toBe(before + 4);
    released.ftp.release('ftp', at);
    released.ftp.release('ftp', at);
    const closed = scene();
    closed.ftp.claim('ftp', at);
    closed.ftp.close();
    closed.ftp.close();
    expect(openSockets()).toBe(before + 4);
  });

  it('come from whichever lender has them', () => {
    const { sockets, ftp } = scene();
    const calls: string[] = [];
    const none = {
      claim: () => undefined,
      release: () => void calls.push('release'),
      lentTo: () => [{ address: '::', port: 69, fd: 5 }],
      close: () => void calls.push('close'),
    };
    const all = asOneLender([none, ftp]);
    expect(all.claim('ftp', at)).toMatchObject(at);
    expect(all.lentTo(2)).toEqual([
      { address: '::', port: 69, fd: 5 },
      { ...at, fd: sockets[0] },
    ]);
    all.release('ftp', at);
    all.close();
    expect(calls).toEqual(['release', 'close']);
    expect(all.claim('tftp', { address: '::', port: 69 })).toBeUndefined();
  });
});
