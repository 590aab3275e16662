import { describe, expect, it } from 'vitest';
import { download, upload } from '../../../src/tftp/client.ts';
import type { TftpOptions } from '../../../src/tftp/negotiation.ts';
import { MemoryStore } from '../../../src/tftp/memory-store.ts';
import { TftpServer } from '../../../src/tftp/server.ts';
import { backendAddress, Lab, vip } from '../../helpers/lab.ts';
import { bytesOf, sinkInto, sourceOf } from '../../helpers/content.ts';

const link = { loss: 0.05, duplication: 0.02, reordering: 0.02, minDelay: 1, maxDelay: 15 };
const retry = { timeout: 250, retries: 30 };
/** Who has sent a last ACK must be there when the peer repeats. Milliseconds. */
const dally = 10_000;
const transfers = 1_000;
const atOnce = 50;
const sizes = [0, 1, 511, 512, 513, 5_000, 20_000];
const shapes: readonly TftpOptions[] = [
  {},
  { blksize: 1428 },
  { blksize: 1024, windowsize: 4 },
  { tsize: 0 },
];

function optionsFor(n: number, size: number): TftpOptions {
  const shape = shapes[n % shapes.length] ?? {};
  return n % 3 === 0 && shape.tsize !== undefined ? { tsize: size } : shape;
}

/** Runs `count` jobs with at most `atOnce` of them under way. */
async function inTurn(count: number, job: (n: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await job(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

describe.each([
  ['ephemeral', { kind: 'ephemeral', ports: undefined }],
  ['single port', { kind: 'single-port' }],
] as const)('a network that loses, repeats and reorders, %s', (_, tids) => {
  it('a thousand transfers all arrive as they are, each is reported once, and nothing is left over', async () => {
    const lab = new Lab({ seed: 42, link, service: { tids } });
    lab.engine.start();
    const files = Object.fromEntries(sizes.map((size) => [`file-${size}`, bytesOf(size)]));
    const stores = lab.backendHosts.map(() => new MemoryStore(files, { overwrite: true }));
    const servers = lab.backendHosts.map(
      (host, n) =>
        new TftpServer(host, {
          at: { address: backendAddress(n), port: 69 },
          store: stores[n] ?? new MemoryStore(),
          retry,
          dally,
        }),
    );
    const clients = Array.from({ length: atOnce }, (_, n) => lab.net.host([`10.3.0.${n + 1}`]));
    const uploads = new Set<string>();
    await lab.net.play(
      inTurn(transfers, async (n) => {
        const host = clients[n % atOnce] ?? lab.balancer;
        const size = sizes[n % sizes.length] ?? 0;
        const request = {
          server: { address: vip, port: 69 },
          mode: 'octet' as const,
          options: optionsFor(n, size),
          retry,
          dally,
        };
        if (n % 3 === 0) {
          uploads.add(`up-${n}`);
          await upload(host, { ...request, file: `up-${n}` }, sourceOf(bytesOf(size)));
          const stored = stores.map((store) => store.files.get(`up-${n}`)).filter(Boolean);
          expect(stored.length).toBeGreaterThanOrEqual(1);
          for (const content of stored) expect(content).toEqual(bytesOf(size));
        } else {
          const sink = sinkInto();
          await download(host, { ...request, file: `file-${size}` }, sink);
          expect(sink.bytes()).toEqual(bytesOf(size));
        }
      }),
    );
    lab.net.advance(120_000);
    const results = Object.groupBy(lab.ends, ({ result }) => result);
    expect((results.ok?.length ?? 0) + (results['ok-unacked']?.length ?? 0)).toBeGreaterThanOrEqual(
      transfers,
    );
    expect([lab.scoreboard.holders(0), lab.scoreboard.holders(1)]).toEqual([0, 0]);
    expect([lab.scoreboard.active(0), lab.scoreboard.active(1)]).toEqual([0, 0]);
    expect(lab.ends.length).toBe(lab.of('session.start').length);
    for (const server of servers) server.close();
    lab.engine.stop();
    expect(lab.balancer.openSockets).toBe(0);
  });
});
