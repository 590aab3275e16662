/** A whole balancer between peers that are hostile on both sides. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createNodeNet } from '../../src/net/node-net.ts';
import { HostileBackend } from '../fuzz/hostile-backend.ts';
import { HostileClient } from '../fuzz/hostile-client.ts';
import { Noise } from '../fuzz/noise.ts';
import { portsOn } from '../fuzz/real-port.ts';
import { bytesOf } from '../helpers/content.ts';
import { fetchFile, startEmbedded, storeFile } from '../helpers/embedded.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { isLinuxSkipped } from '../helpers/tid-nets.ts';
import { forSeeds, timeoutOf } from './budget.ts';
import { QuietBalancer } from './quiet-balancer.ts';

/** At the usual budget a minute for each mode. */
const part = 0.1;
const modes = ['--no-single-port', '--single-port'];
/** Milliseconds. */
const endPatience = 150_000;
/** Moves of one pair of peers, which grow tired of answering, and milliseconds between two of them. */
const moves = 100;
const pace = 5;
/** Pairs after which pools and heaps have the size that they keep. */
const warmUp = 5;
const honest = bytesOf(60_000);
/** What the young generations of three threads may differ by: up to 16 MiB each. Of sessions there are thousands. */
const tolerance = 48 * 2 ** 20;

afterEach(stopAll);

describe.skipIf(isLinuxSkipped)('a balancer of the Linux engine', () => {
  it.each(modes)(
    'has nothing left of peers that were hostile on both sides (%s)',
    async (mode) => {
      const net = createNodeNet();
      const address = ownLoopback();
      const serverPorts = portsOn(net, address, 5);
      const clientPorts = portsOn(net, address, 3);
      const server = startEmbedded({ honest });
      const backends = [...serverPorts.slice(0, 2).map(({ endpoint }) => endpoint), server];
      const flags = [mode, '--try-interval=100ms', '--idle-timeout=1s', '--eject-time=1s'];
      const balancer = await QuietBalancer.start(backends, flags);
      const { listener } = balancer;

      const harass = async (seed: number): Promise<void> => {
        // A timeout that is granted would keep a session for longer than this test may last.
        const noise = new Noise(seed, 'timeout');
        const peers = [
          new HostileBackend(serverPorts, noise),
          new HostileClient(clientPorts, noise, listener),
        ];
        for (let move = 0; move < moves; move++) {
          for (const peer of peers) peer.act();
          await sleep(pace);
        }
        for (const peer of peers) peer.isMuted = true;
      };
      for (let seed = 1; seed <= warmUp; seed++) await harass(seed);
      await balancer.idle();
      const before = { descriptors: balancer.descriptors, resident: balancer.resident };
      const pairs = await forSeeds(part, harass);
      expect(pairs).toBeGreaterThan(0);
      await balancer.idle();

      const grown = balancer.resident - before.resident;
      console.log(`${pairs} pairs of hostile peers: ${(grown / 2 ** 20).toFixed(1)} MiB more`);
      expect(grown).toBeLessThan(tolerance);
      // Those of sessions that only listen for late packets are given back a little later.
      const isBack = (): true | undefined => balancer.descriptors <= before.descriptors || undefined;
      await until('descriptors are given back', isBack, endPatience);
      const { workers, services } = await balancer.status();
      expect(workers.map(({ state, restarts }) => ({ state, restarts }))).toEqual(
        workers.map(() => ({ state: 'serving', restarts: 0 })),
      );
      expect(services.flatMap(({ backends }) => backends.map(({ sessions }) => sessions))).toEqual([0, 0, 0]);

      // The hostile servers keep silent now, so that a download finds its way past them.
      expect((await fetchFile(listener, 'honest')).bytes).toEqual(Buffer.from(honest));
      for (const port of [...serverPorts, ...clientPorts]) port.close();
      // What refuses is passed over, for uploads too.
      await storeFile(listener, 'upload', honest);
      expect(server.files.get('upload')).toEqual(honest);
    },
    timeoutOf(part) + endPatience,
  );
});
