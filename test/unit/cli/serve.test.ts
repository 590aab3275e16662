import { describe, expect, it } from 'vitest';
import type { Balancer } from '../../../src/cli/serve.ts';
import { NetError } from '../../../src/net/net.ts';
import { command, willing } from './scene.ts';

const args = ['--log-level', 'silent', '--vip', '192.0.2.1', '--backend', '192.0.2.11'];

/** A balancer that notes what it is told. */
function noted(own: Partial<Balancer> = {}) {
  const calls: string[] = [];
  const noting = <K extends keyof Balancer>(name: K): Balancer[K] => {
    const act: (...given: never[]) => unknown = own[name] ?? willing[name];
    return ((...given: never[]) => {
      calls.push(name);
      return act(...given);
    }) as Balancer[K];
  };
  const balancer: Balancer = {
    start: noting('start'),
    drain: noting('drain'),
    stop: noting('stop'),
    reopenLogs: noting('reopenLogs'),
    reload: noting('reload'),
    handedOver: () => (own.handedOver ? own.handedOver() : willing.handedOver()),
    finished: noting('finished'),
  };
  return { balancer, calls };
}

describe('serve', () => {
  it('runs until it is told to stop, then drains and ends with 0', async () => {
    const { balancer, calls } = noted();
    const stop = new AbortController();
    const outcome = command(args, { balancer, signal: stop.signal });
    await expect.poll(() => calls).toEqual(['start']);
    stop.abort();
    expect((await outcome).exitCode).toBe(0);
    expect(calls).toEqual(['start', 'drain', 'stop']);
  });

  it.each(['timed-out', 'forced'] as const)('ends with 3 where the drain %s', async (result) => {
    const { balancer, calls } = noted({ drain: async () => result });
    expect((await command(args, { balancer })).exitCode).toBe(3);
    expect(calls).toEqual(['start', 'drain', 'stop']);
  });

  it('hands on that it is asked a second time', async () => {
    const force = new AbortController();
    const drain: Balancer['drain'] = async (signal) => {
      expect(signal.aborted).toBe(false);
      force.abort();
      return signal.aborted ? 'forced' : 'drained';
    };
    expect((await command(args, { balancer: { ...willing, drain }, force: force.signal })).exitCode).toBe(3);
  });

  it('waits for no start that hangs when it is asked a second time', async () => {
    const { balancer, calls } = noted({ start: () => new Promise<void>(() => undefined) });
    expect((await command(args, { balancer, force: AbortSignal.abort() })).exitCode).toBe(3);
    expect(calls).toEqual(['start', 'stop']);
  });

  it('gives back what a failed start has taken', async () => {
    const refused = new NetError('TLB_ERR_PERMISSION', 'cannot bind 192.0.2.1 port 69: permission denied');
    const { balancer, calls } = noted({
      start: async () => {
        throw refused;
      },
    });
    const { failures, exitCode } = await command(args, { balancer });
    expect(failures).toEqual([
      expect.stringContaining('cannot bind 192.0.2.1 port 69: permission denied; ports below 1024'),
    ]);
    expect(exitCode).toBe(1);
    expect(calls).toEqual(['start', 'stop']);
  });
});
