/** The entry of a worker that serves TFTP through system calls, in a loop that blocks its thread. */
import { parentPort, workerData } from 'node:worker_threads';

import { TftpEngine } from '../engine/tftp-engine.ts';
import { EventFd } from '../linux/event-fd.ts';
import { loadLibc } from '../linux/load-libc.ts';
import { LinuxNet } from '../linux/net/linux-net.ts';
import { EngineWorker } from './engine-worker.ts';
import type { LinuxBoot, WorkerBoot, WorkerCommand } from './messages.ts';

/** Milliseconds that an event may wait for others. */
const eventDelay = 5;
/** Milliseconds that the thread may block: whoever wants it to end is kept waiting no longer, whatever happens. */
const maxWait = 1_000;
/** Milliseconds until messages and Node's own affairs get their turn under load. */
const maxHold = 20;

if (parentPort === null) throw new Error('this is the entry of a thread');
const port = parentPort;
const boot: WorkerBoot & LinuxBoot = workerData;
const loaded = loadLibc();
if (loaded.kind === 'unavailable') throw new Error(loaded.reason);
const { busyPoll, wakeFd, share, ledger } = boot;
const net = new LinuxNet(loaded.libc, { busyPoll, maxWait, maxHold, share, ledger });
const wakeup = new EventFd(loaded.libc, wakeFd);
net.loop.watch({
  fd: wakeFd,
  onReady: () => {
    wakeup.reset();
    net.loop.yield();
  },
});
const worker = new EngineWorker({
  boot,
  createEngine: (parts) => new TftpEngine({ ...parts, net }),
  post: (message) => port.postMessage(message, []),
  later: (callback) => void net.setTimer(eventDelay, callback),
  end: () => {
    net.loop.stop();
    port.close();
  },
});
port.on('message', (command: WorkerCommand) => {
  if ('lent' in command) net.lend(command.lent);
  void worker.obey(command);
});
// What has happened before the fault is told all the same; the thread dies of it behind this.
process.prependListener('uncaughtExceptionMonitor', () => worker.flush());
net.loop.start();
