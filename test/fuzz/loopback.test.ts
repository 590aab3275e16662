/** The same hostility on real sockets, for a short time: what the in-memory net may have left out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createNodeNet } from '../../src/net/node-net.ts';
import type { Event } from '../../src/observe/events.ts';
import { download } from '../../src/tftp/client.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import { TftpServer } from '../../src/tftp/server.ts';
import { bytesOf, sinkInto } from '../helpers/content.ts';
import { openSockets } from '../helpers/descriptors.ts';
import { LoopbackEngine } from '../helpers/loopback-engine.ts';
import { until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { tidNets } from '../helpers/tid-nets.ts';
import { HostileBackend } from './hostile-backend.ts';
import { HostileClient } from './hostile-client.ts';
import { Noise } from './noise.ts';
import { portsOn } from './real-port.ts';
import { seeds } from './seeds.ts';

/** Milliseconds. */
const duration = 1_500;
const pace = 5;
/** Sessions without which a test has tested nothing. */
const enough = 50;
/** Longer than the longest dallying. */
const patience = 25_000;
const timing = { tryInterval: 100, idleTimeout: 1_000 };
const content = bytesOf(60_000);

/** How many sessions began and ended. */
function tallyOf(): { emit: (event: Event) => void; readonly starts: number; readonly ends: number } {
  const tally = { starts: 0, ends: 0 };
  return {
    emit: ({ kind }) => {
      if (kind === 'session.start') tally.starts += 1;
      if (kind === 'session.end') tally.ends += 1;
    },
    get starts() {
      return tally.starts;
    },
    get ends() {
      return tally.ends;
    },
  };
}

/** For a while, and on a busy machine until that has led to `enough` sessions. */
async function fuzz(
  actors: readonly { act(): void; isMuted: boolean }[],
  tally: { readonly starts: number },
): Promise<void> {
  const end = performance.now() + duration;
  while (performance.now() < end || tally.starts <= enough) {
    for (const actor of actors) actor.act();
    await sleep(pace);
  }
  for (const actor of actors) actor.isMuted = true;
}

describe.each(tidNets)('$name', (kind) => {
  it.skipIf(kind.isSkipped).each(seeds(1))(
    'peers that are hostile on both sides leave no session and no descriptor behind (seed %i)',
    async (seed) => {
      const before = openSockets();
      const net = createNodeNet();
      const engineNet = kind.open();
      const address = ownLoopback();
      // A timeout that is granted would keep a session for longer than this test may last.
      const noise = new Noise(seed, 'timeout');
      const tally = tallyOf();
      const serverPorts = portsOn(net, address, 5);
      const clientPorts = portsOn(net, address, 3);
      const backends = serverPorts.slice(0, 2).map(({ endpoint }) => endpoint);
      const engine = new LoopbackEngine({
        net: engineNet.net,
        address,
        backends,
        service: { timing },
        emit: tally.emit,
      });
      const steady = openSockets();
      await fuzz(
        [new HostileBackend(serverPorts, noise), new HostileClient(clientPorts, noise, engine.listener)],
        tally,
      );
      await until('all sessions are gone', () => engine.sessions === 0 || undefined, patience);
      expect(tally.ends).toBe(tally.starts);
      await until(
        'their sockets are closed',
        () => openSockets() <= steady + engineNet.keptSockets || undefined,
      );
      engine.stop();
      engineNet.close();
      for (const port of [...serverPorts, ...clientPorts]) port.close();
      await until('all sockets are closed', () => openSockets() === before || undefined);
    },
    2 * patience,
  );

  it.skipIf(kind.isSkipped).each(seeds(1))(
    'an honest transfer beside a hostile client goes on, and stopping leaves nothing open (seed %i)',
    async (seed) => {
      const before = openSockets();
      const net = createNodeNet();
      const engineNet = kind.open();
      const address = ownLoopback();
      const noise = new Noise(seed);
      const tally = tallyOf();
      const store = new MemoryStore({ honest: content, 'file-1': bytesOf(1), 'file-2': bytesOf(3_000) });
      const server = new TftpServer(net, { at: { address, port: 0 }, store });
      const clientPorts = portsOn(net, address, 3);
      const engine = new LoopbackEngine({
        net: engineNet.net,
        address,
        backends: [server],
        service: { tids: { kind: 'single-port' } },
        emit: tally.emit,
      });
      const client = new HostileClient(clientPorts, noise, engine.listener);
      const readForAWhile = async (): Promise<number> => {
        let transfers = 0;
        for (; !client.isMuted; transfers++) {
          const sink = sinkInto();
          const retry = { timeout: 1_000, retries: 8 };
          const request = { server: engine.listener, mode: 'octet' as const, options: {}, retry, dally: 0 };
          await download(net, { ...request, file: 'honest' }, sink);
          expect(sink.bytes()).toEqual(content);
        }
        return transfers;
      };
      const [transfers] = await Promise.all([readForAWhile(), fuzz([client], tally)]);
      expect(transfers).toBeGreaterThan(0);
      engine.stop();
      expect([engine.sessions, tally.ends]).toEqual([0, tally.starts]);
      engineNet.close();
      server.close();
      for (const port of clientPorts) port.close();
      await until('all sockets are closed', () => openSockets() === before || undefined);
    },
    patience,
  );
});
