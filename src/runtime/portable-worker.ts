/** The entry of a worker with an event loop: the portable engines on Node's own sockets. */
import { parentPort, workerData } from 'node:worker_threads';

import { createNodeNet } from '../net/node-net.ts';
import { createNodeTls } from '../net/node-tls.ts';
import { EngineWorker } from './engine-worker.ts';
import { portHolderOf, type WorkerBoot, type WorkerCommand } from './messages.ts';
import { PortableEngines } from './portable-engines.ts';

/** Milliseconds that an event may wait for others. */
const eventDelay = 5;

if (parentPort === null) throw new Error('this is the entry of a thread');
const port = parentPort;
const boot: WorkerBoot = workerData;
const net = createNodeNet({ tidPorts: boot.tidPorts, portHolder: portHolderOf(boot.worker) });
const worker = new EngineWorker({
  boot,
  createEngine: (parts) => new PortableEngines({ ...parts, net, tls: createNodeTls(net) }),
  post: (message) => port.postMessage(message, []),
  later: (callback) => void net.setTimer(eventDelay, callback),
  end: () => port.close(),
});
port.on('message', (command: WorkerCommand) => void worker.obey(command));
// What has happened before the fault is told all the same; the thread dies of it behind this.
process.prependListener('uncaughtExceptionMonitor', () => worker.flush());
