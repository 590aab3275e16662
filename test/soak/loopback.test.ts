import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createNodeNet } from '../../src/net/node-net.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import { TftpServer } from '../../src/tftp/server.ts';
import { tidModes } from '../fuzz/tid-modes.ts';
import { openSockets } from '../helpers/descriptors.ts';
import { LoopbackEngine } from '../helpers/loopback-engine.ts';
import { until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { tidNets } from '../helpers/tid-nets.ts';
import { shareOf, timeoutOf } from './budget.ts';
import { ChurnClient, churnFiles } from './churn.ts';
import { measure, type Memory } from './memory.ts';

const part = 0.075;
const clients = 16;
/** Transfers after which every pool and heap has the size that it keeps. */
const warmUp = 20_000;
/** Ended sessions that listen for late packets are as many at most: few enough to be complete after the warm-up. */
const limits = { total: 100, perClient: 0, perBackend: 0 };
/** A peer that is gone is not waited for any longer than that. Milliseconds. */
const timing = { tryInterval: 1_000, idleTimeout: 5_000 };
const retry = { timeout: 500, retries: 2 };
/** Milliseconds. */
const warmUpPatience = 100_000;
const endPatience = 30_000;
const mebibyte = 2 ** 20;

function inMebibytes({ resident, used }: Memory): string {
  return `${(resident / mebibyte).toFixed(1)} MiB resident, ${(used / mebibyte).toFixed(1)} used`;
}

describe.each(tidNets)('$name', (kind) => {
  it.skipIf(kind.isSkipped).each(tidModes)(
    'one-block transfers leave neither memory nor descriptors behind (%s)',
    async (_, tids) => {
      const before = openSockets();
      const net = createNodeNet();
      const engineNet = kind.open();
      const address = ownLoopback();
      const files = Object.fromEntries(churnFiles.map((file) => [file, new Uint8Array(100)]));
      const servers = [0, 1].map(
        () => new TftpServer(net, { at: { address, port: 0 }, store: new MemoryStore(files), retry }),
      );
      const results = { good: 0, bad: 0 };
      const engine = new LoopbackEngine({
        net: engineNet.net,
        address,
        backends: servers,
        service: { tids, limits, timing },
        emit: (event) => {
          if (event.kind === 'session.end') results[event.result === 'ok' ? 'good' : 'bad'] += 1;
        },
      });
      const steady = openSockets();
      const crowd = Array.from({ length: clients }, () => new ChurnClient(net, address, engine.listener));
      onTestFinished(() => {
        for (const client of crowd) client.close();
        engine.stop();
        for (const server of servers) server.close();
      });
      const transfers = (): number => crowd.reduce((sum, client) => sum + client.transfers, 0);
      for (const client of crowd) client.next();
      await until('the warm-up is over', () => transfers() >= warmUp || undefined, warmUpPatience);
      const warm = measure();
      await sleep(shareOf(part));
      const end = measure();
      for (const client of crowd) client.close();
      console.log(`${warmUp} transfers: ${inMebibytes(warm)}; ${transfers()}: ${inMebibytes(end)}`);
      expect(transfers()).toBeGreaterThan(warmUp);
      expect(end.used - warm.used).toBeLessThan(6 * mebibyte);
      expect(end.resident - warm.resident).toBeLessThan(16 * mebibyte);
      await until('all sessions are gone', () => engine.sessions === 0 || undefined, endPatience);
      const most = steady + engineNet.keptSockets;
      await until('their sockets are closed', () => openSockets() <= most || undefined, endPatience);
      // Each client left at most one transfer behind.
      expect(results.bad).toBeLessThanOrEqual(clients);
      engine.stop();
      engineNet.close();
      for (const server of servers) server.close();
      await until('all sockets are closed', () => openSockets() === before || undefined);
    },
    timeoutOf(part) + warmUpPatience,
  );
});
