import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { TftpContentProbe } from '../../../src/health/tftp-content-probe.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { ProbeOutcome } from '../../../src/observe/events.ts';
import { MemoryStore } from '../../../src/tftp/memory-store.ts';
import { TftpServer } from '../../../src/tftp/server.ts';
import { noise } from '../../helpers/folders.ts';

const address = '192.0.2.1';
const sha256 = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');

function digest() {
  const hash = createHash('sha256');
  return { update: (bytes: Uint8Array) => void hash.update(bytes), end: () => hash.digest('hex') };
}

interface Check {
  readonly outcome: ProbeOutcome;
  /** Bytes that the server sent. */
  readonly sent: number;
}

/** One check of a server that has these files, by a link that may lose something. */
async function check(
  files: Readonly<Record<string, Uint8Array>>,
  expected: string,
  options: { readonly loss?: number; readonly timeout?: number } = {},
): Promise<Check> {
  const memory = new MemoryNet({ seed: 7, link: { loss: options.loss ?? 0 } });
  const balancer = memory.host(['192.0.2.100']);
  let sent = 0;
  const server = new TftpServer(memory.host([address]), {
    at: { address, port: 69 },
    store: new MemoryStore(files),
    trace: (direction, packet) => {
      if (direction === 'sent') sent += packet.length;
    },
  });
  const probe = new TftpContentProbe(balancer, {
    file: 'boot/health',
    expected,
    digest,
    timeout: options.timeout ?? 60_000,
  });
  const run = probe.check({ address, port: 69 }, new AbortController().signal);
  const outcome = await memory.play(run);
  server.close();
  return { outcome, sent };
}

const image = noise(20_000);

test.each([0, 1, 1_427, 1_428, 20_000])('a file of %i bytes is compared as a whole', async (size) => {
  const content = image.subarray(0, size);
  expect((await check({ 'boot/health': content }, sha256(content))).outcome).toBe('alive');
  const other = Buffer.concat([content, Buffer.from('x')]);
  expect((await check({ 'boot/health': other }, sha256(content))).outcome).toBe('wrong-content');
});

test('a file that is not there is the wrong one', async () => {
  expect((await check({ health: image }, sha256(image))).outcome).toBe('wrong-content');
});

test('datagrams that are lost are asked for again', async () => {
  expect((await check({ 'boot/health': image }, sha256(image), { loss: 0.1 })).outcome).toBe('alive');
});

test('a server that is too slow for the time of a check fails it', async () => {
  expect((await check({ 'boot/health': image }, sha256(image), { loss: 0.5, timeout: 2_000 })).outcome).toBe(
    'timeout',
  );
});

test('no more is fetched than a file of health checks may have', async () => {
  const huge = Buffer.alloc(20_000_000);
  const { outcome, sent } = await check({ 'boot/health': huge }, sha256(huge));
  expect(outcome).toBe('wrong-content');
  expect(sent).toBeLessThan(17_000_000);
});
