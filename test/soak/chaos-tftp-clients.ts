/** Clients of TFTP that transfer one file after the other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createNodeNet } from '../../src/net/node-net.ts';
import { download, upload } from '../../src/tftp/client.ts';
import type { TransferRequest } from '../../src/tftp/client-transfer.ts';
import type { TftpOptions } from '../../src/tftp/negotiation.ts';
import type { Noise } from '../fuzz/noise.ts';
import { sinkInto, sourceOf } from '../helpers/content.ts';
import { failed, type Load, type Outcome, received, type Task } from './chaos-attempts.ts';

/** Nine seconds of silence in all: longer than any server is stopped. */
const retry = { timeout: 300, retries: 5 };
/** Milliseconds between two transfers at most. */
const pause = 60;
const net = createNodeNet();

/** Resolves when the load is over and the last transfer has ended. */
export async function tftpClient(load: Load, noise: Noise): Promise<void> {
  while (!load.isOver) {
    const task = load.task(noise);
    const outcome = await transfer(task, requestOf(load, task, noise)).catch(failed);
    load.record(task, outcome);
    await sleep(noise.int(0, pause));
  }
}

async function transfer({ op, content }: Task, request: TransferRequest): Promise<Outcome> {
  if (op === 'write') {
    await upload(net, request, sourceOf(content));
    return { kind: 'done' };
  }
  const sink = sinkInto();
  await download(net, request, sink);
  return received(content, sink.bytes());
}

function requestOf({ listener }: Load, task: Task, noise: Noise): TransferRequest {
  const options = optionsOf(task, noise);
  return { server: listener, file: task.file, mode: 'octet', options, retry, dally: 0 };
}

function optionsOf({ op, content }: Task, noise: Noise): TftpOptions {
  return {
    ...(noise.chance(0.5) && { blksize: noise.int(256, 1_428) }),
    ...(noise.chance(0.3) && { windowsize: noise.int(1, 8) }),
    ...(noise.chance(0.3) && { tsize: op === 'read' ? 0 : content.length }),
  };
}
