/** The entry of a worker that serves TFTP through system calls, in a loop that blocks its thread. */
import { parentPort, workerData } from 'node:worker_threads';

import { TftpEngine } from '../engine/tftp-engine.ts';
import { EventFd } from '../linux/event-fd.ts';
import { loadLibc } from '../linux/load-libc.ts';
import { LinuxNet } from '../linux/net/linux-net.ts';
import { DescriptorLedger } from '../linux/descriptor-ledger.ts';
import { EngineWorker } from './engine-worker.ts';
import type { LinuxBoot, WorkerBoot, WorkerCommand } from './messages.ts';
import { WorkerHandover } from './worker-handover.ts';

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
const { busyPoll, wakeFd, share, ledger, isHeld } = boot;
const net = new LinuxNet(loaded.libc, { busyPoll, maxWait, maxHold, share, ledger });
const wakeup = new EventFd(loaded.libc, wakeFd);
net.loop.watch({
  fd: wakeFd,
  onReady: () => {
    wakeup.reset();
    net.loop.yield();
  },
});
let engine: TftpEngine | undefined;
const worker = new EngineWorker({
  boot,
  createEngine: (parts) => (engine = new TftpEngine({ ...parts, net, epoch: performance.timeOrigin })),
  post: (message) => port.postMessage(message, []),
  later: (callback) => void net.setTimer(eventDelay, callback),
  end: () => {
    net.loop.stop();
    port.close();
  },
});
const handover = new WorkerHandover({
  libc: loaded.libc,
  loop: net.loop,
  ledger: new DescriptorLedger(ledger),
  isHeld,
  engine: () => engine,
  answer: (answer) => worker.answer(answer),
});
port.on('message', (command: WorkerCommand) => {
  if ('lent' in command) net.lend(command.lent);
  if (command.kind === 'stop') handover.beforeStop();
  if (command.kind === 'freeze' || command.kind === 'thaw' || command.kind === 'restore') {
    handover.obey(command);
  } else {
    void worker.obey(command);
  }
});
// What has happened before the fault is told all the same; the thread dies of it behind this.
process.prependListener('uncaughtExceptionMonitor', () => worker.flush());
