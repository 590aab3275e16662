/** The entry of a worker with an event loop: the portable engines on Node's own sockets. */
import { parentPort, workerData } from 'node:worker_threads';

import { loadLibc } from '../linux/load-libc.ts';
import type { LentSocket } from '../linux/net/linux-net.ts';
import { duplicate } from '../linux/sockets.ts';
import type { Endpoint } from '../net/net.ts';
import { createNodeNet } from '../net/node-net.ts';
import { EngineWorker } from './engine-worker.ts';
import { type EngineCommand, portHolderOf, type WorkerBoot } from './messages.ts';
import { PortableEngines } from './portable-engines.ts';

/** Milliseconds that an event may wait for others. */
const eventDelay = 5;

if (parentPort === null) throw new Error('this is the entry of a thread');
const port = parentPort;
const boot: WorkerBoot = workerData;
let lent: readonly LentSocket[] = [];

/** A duplicate of what the supervisor has for an address. */
function inherit(at: Endpoint): number | undefined {
  const socket = lent.find(({ address, port }) => address === at.address && port === at.port);
  if (!socket) return undefined;
  const loaded = loadLibc();
  if (loaded.kind === 'unavailable') throw new Error(loaded.reason);
  return duplicate(loaded.libc, socket.fd);
}

const portHolder = portHolderOf(boot.worker);
const net = createNodeNet({ tidPorts: boot.tidPorts, portHolder, inherit });
const worker = new EngineWorker({
  boot,
  createEngine: (parts) => new PortableEngines({ ...parts, net }),
  post: (message) => port.postMessage(message, []),
  later: (callback) => void net.setTimer(eventDelay, callback),
  end: () => port.close(),
});
port.on('message', (command: EngineCommand) => {
  if ('lent' in command) lent = command.lent;
  void worker.obey(command);
});
// What has happened before the fault is told all the same; the thread dies of it behind this.
process.prependListener('uncaughtExceptionMonitor', () => worker.flush());
