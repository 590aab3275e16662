/** Workers of the Linux engine that die under load: the listening sockets are not theirs, so nobody is rehashed. */
import { readdirSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { App } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { FlagValues } from '../../src/config/sources.ts';
import type { Endpoint } from '../../src/net/net.ts';
import { createNodeNet, createTidPorts } from '../../src/net/node-net.ts';
import type { Event, WorkerDown } from '../../src/observe/events.ts';
import { createLogger } from '../../src/observe/log.ts';
import { chooseEngine } from '../../src/runtime/engine-choice.ts';
import { startEmbedded } from '../helpers/embedded.ts';
import { FaultyThreads } from '../helpers/faulty-threads.ts';
import { noise } from '../helpers/folders.ts';
import { until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { isLinuxSkipped } from '../helpers/tid-nets.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';

const image = noise(20_000);
const tidPorts = createTidPorts();
const workers = 4;
/** Their addresses lead them to workers: each worker has some. */
const clients = Array.from({ length: 48 }, (_, index) => `127.20.${index}.${index + 1}`);

interface Started {
  readonly app: App;
  readonly threads: FaultyThreads;
  readonly listener: Endpoint;
  readonly events: readonly Event[];
}

async function start(flags: FlagValues): Promise<Started> {
  const servers = [startEmbedded({ image }), startEmbedded({ image })];
  const tftpBackend = servers.map(({ address, port }) => `${address}:${port}`);
  const common = { vip: [ownLoopback()], tftpPort: '0', ftp: false, admin: false, healthInterval: '0' };
  const loaded = loadConfig({ ...common, tftpBackend, ...flags }, {});
  if (loaded.kind === 'faulty') throw new Error(loaded.faults.map(({ problem }) => problem).join('; '));
  const threads = new FaultyThreads(workers, tidPorts, chooseEngine('linux'));
  const events: Event[] = [];
  const app = new App(loaded.config, {
    net: createNodeNet({ tidPorts }),
    version: '0',
    log: createLogger('silent'),
    observer: (event) => events.push(event),
    threads,
  });
  onTestFinished(() => app.stop());
  await app.start();
  const [listener] = app.listening('tftp');
  if (!listener) throw new Error('nobody listens');
  return { app, threads, listener, events };
}

function deathIn(events: readonly Event[]): Promise<WorkerDown> {
  return until('a worker has died', () => events.find((event) => event.kind === 'worker.down'));
}

function descriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

describe.skipIf(isLinuxSkipped)('a worker of the Linux engine that dies under load', () => {
  test.each([{ singlePort: false }, { singlePort: true }])(
    'costs its own sessions and no others, with %j',
    async (flags) => {
      const { app, threads, listener, events } = await start(flags);
      const held = await Promise.all(clients.map((client) => HeldDownload.begin(listener, 'image', client)));
      const peers = await Promise.all(clients.map((client) => UdpPeer.open(client)));
      const before = descriptors();
      threads.bringAbout('throw', 1);
      // A thread that sleeps in a system call wakes at the next datagram.
      for (const peer of peers) peer.send(Buffer.of(0), listener);
      const death = await deathIn(events);
      expect(death).toMatchObject({ worker: 1, error: 'TypeError: brought about by a test' });
      const lost = death.lost['tftp'] ?? 0;
      expect(lost).toBeGreaterThan(0);
      expect(lost).toBeLessThan(clients.length);

      await until('it is back', () => {
        const { state, restarts } = app.status().workers[1] ?? {};
        return state === 'serving' && restarts === 1 ? true : undefined;
      });
      let finished = 0;
      for (const download of held) {
        void download.finish().then(
          (bytes) => (finished += bytes.equals(image) ? 1 : 0),
          () => undefined,
        );
      }
      await until('all others have finished', () => (finished >= clients.length - lost ? true : undefined));
      // What the dead one had open is closed; the new one has opened less so far. Node's own come and go.
      expect(descriptors()).toBeLessThanOrEqual(before + 8);

      const again = await Promise.all(
        clients.map(async (client) => (await HeldDownload.begin(listener, 'image', client)).finish()),
      );
      expect(again.every((bytes) => bytes.equals(image))).toBe(true);
    },
  );
});
