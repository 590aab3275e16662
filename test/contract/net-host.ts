import { describe, expect, it } from 'vitest';
import type { NetScene, UdpScene } from './net-scene.ts';

export function hostContract(scene: () => UdpScene): void {
  describe('host', () => {
    it('lists its addresses and knows what their interfaces carry', () => {
      const { net, loopback, foreign, family } = scene();
      const local = net.localAddresses().find(({ address }) => address === loopback);
      expect(local).toEqual({ address: loopback, family, device: expect.stringMatching(/./) });
      expect(net.mtuOf(loopback)).toBeGreaterThanOrEqual(1280);
      expect(net.mtuOf(foreign)).toBeUndefined();
    });

    it('draws numbers from 0 up to 1', () => {
      const { net } = scene();
      const drawn = Array.from({ length: 1000 }, () => net.random());
      expect(drawn.every((number) => number >= 0 && number < 1)).toBe(true);
      expect(new Set(drawn).size).toBeGreaterThan(990);
      const mean = drawn.reduce((sum, number) => sum + number, 0) / drawn.length;
      expect(mean).toBeGreaterThan(0.4);
      expect(mean).toBeLessThan(0.6);
    });
  });

  describe('clock', () => {
    it('calls back once, in the order of the delays, and never early', async () => {
      const { until, net } = scene();
      const start = net.now();
      const calls: { name: string; at: number }[] = [];
      const call = (name: string) => () => calls.push({ name, at: net.now() });
      net.setTimer(20, call('second'));
      net.setTimer(5.5, call('first'));
      net.setTimer(40, call('third'));
      await until(() => calls.length >= 3);
      expect(calls.map(({ name }) => name)).toEqual(['first', 'second', 'third']);
      for (const [index, delay] of [5.5, 20, 40].entries()) {
        expect(calls[index]?.at).toBeGreaterThanOrEqual(start + delay);
      }
    });

    it('calls back after the call that set the timer, whatever the delay', async () => {
      const { until, net } = scene();
      const calls: string[] = [];
      for (const delay of [0, -1, NaN]) net.setTimer(delay, () => calls.push('timer'));
      calls.push('set');
      await until(() => calls.length === 4);
      expect(calls[0]).toBe('set');
    });

    it('forgets a cancelled timer, however often it is cancelled', async () => {
      const { until, net } = scene();
      const calls: string[] = [];
      const cancelled = net.setTimer(1, () => calls.push('cancelled'));
      const over = net.setTimer(1, () => calls.push('over'));
      cancelled.cancel();
      cancelled.cancel();
      net.setTimer(10, () => calls.push('last'));
      await until(() => calls.includes('last'));
      over.cancel();
      expect(calls).toEqual(['over', 'last']);
    });

    it('waits for more than 2^31 milliseconds without an end too soon', async () => {
      const { until, net } = scene();
      const calls: string[] = [];
      const far = net.setTimer(2 ** 31 + 1000, () => calls.push('far'));
      const never = net.setTimer(Infinity, () => calls.push('never'));
      net.setTimer(5, () => calls.push('near'));
      await until(() => calls.length > 0);
      far.cancel();
      never.cancel();
      expect(calls).toEqual(['near']);
    });
  });
}

export function lookupContract(scene: () => NetScene): void {
  describe('lookup', () => {
    it('finds names, and numeric addresses without asking', async () => {
      const { net, foreign } = scene();
      expect(await net.lookup(foreign)).toEqual([foreign]);
      expect(await net.lookup('fe80::1%lo')).toEqual(['fe80::1%lo']);
      const found = await net.lookup('localhost');
      expect(found.length).toBeGreaterThan(0);
      expect(['127.0.0.1', '::1']).toEqual(expect.arrayContaining(found));
    });

    it('rejects with NetError for a name that has no address', async () => {
      const { net } = scene();
      // Longer than a label may be: no resolver needs to be asked.
      for (const host of [`${'a'.repeat(64)}.invalid`, '']) {
        await expect(net.lookup(host)).rejects.toMatchObject({ code: 'TLB_ERR_UNKNOWN_HOST' });
      }
    });
  });
}
