import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { Receipts } from '../../../src/runtime/receipts.ts';

const entry = new URL('../../../src/runtime/receipts.ts', import.meta.url).href;
const waiter = `
  import { parentPort, workerData } from 'node:worker_threads';
  import { Receipts } from ${JSON.stringify(entry)};
  const { memory, posted, limit } = workerData;
  parentPort.postMessage('waits');
  new Receipts(memory).wait(posted, limit);
  parentPort.postMessage('goes on');
`;

test('a thread that is too far ahead waits until enough was taken', async () => {
  const memory = Receipts.allocate();
  const receipts = new Receipts(memory);
  const workerData = { memory, posted: 10, limit: 4 };
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(waiter)}`), { workerData });
  try {
    expect(await once(worker, 'message')).toEqual(['waits']);
    const heard: unknown[] = [];
    worker.on('message', (message) => heard.push(message));
    receipts.take(5);
    expect(heard).toEqual([]);
    const next = once(worker, 'message');
    receipts.take(1);
    expect(await next).toEqual(['goes on']);
    expect(heard).toEqual(['goes on']);
  } finally {
    await worker.terminate();
  }
});

test('numbers may go round', () => {
  const receipts = new Receipts(Receipts.allocate());
  receipts.take(0x7fff_ffff);
  receipts.take(0x7fff_ffff);
  receipts.take(10);
  receipts.wait(2 * 0x7fff_ffff + 14, 4);
});
