import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { TidHandlers } from '../../../src/net/net.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';

const loopback = '127.0.0.1';

function kernelSetting(name: string): number {
  try {
    return Number(readFileSync(`/proc/sys/net/core/${name}`, 'utf8'));
  } catch {
    return 0;
  }
}

class Counter implements TidHandlers {
  heard = 0;
  last = '';

  onDatagram(data: Uint8Array): void {
    this.heard++;
    this.last = Buffer.from(data.subarray(0, 4)).toString();
  }

  onError(): void {}

  onRefused(): void {}
}

async function untilHeard(counter: Counter, mark: string): Promise<void> {
  for (let tries = 0; counter.last !== mark; tries++) {
    if (tries > 5000) throw new Error(`"${mark}" never came`);
    await sleep(1);
  }
}

/** How many of a burst that nobody reads meanwhile are kept. */
async function keptOf(burst: number, send: (data: Uint8Array) => void, counter: Counter): Promise<number> {
  for (let sent = 0; sent < burst; sent++) send(Buffer.alloc(1400));
  // What came too much has been dropped by now, so the mark is not.
  while (counter.heard === 0) await sleep(1);
  send(Buffer.from('mark'));
  await untilHeard(counter, 'mark');
  return counter.heard - 1;
}

describe('receive buffers of the node net', () => {
  const standard = kernelSetting('rmem_default');
  // More than fits, as the kernel counts its own overhead too, and less than four times that.
  const burst = Math.ceil((standard / 1400) * 1.3);

  it.skipIf(standard === 0 || kernelSetting('rmem_max') < standard)(
    'hold more than the default if they are asked to',
    async () => {
      const net = createNodeNet();
      const sender = net.bindUdp({ address: loopback, port: 0 }, new Counter());
      const kept = async (receiveBuffer: number | undefined): Promise<number[]> => {
        const [atSocket, atWide, atNarrow] = [new Counter(), new Counter(), new Counter()];
        const binding = { address: loopback, port: 0 };
        const socket = net.bindUdp(
          receiveBuffer === undefined ? binding : { ...binding, receiveBuffer },
          atSocket,
        );
        const wide = net.openTid({ address: loopback, port: 9 }, atWide, receiveBuffer);
        const narrow = net.openTid(sender, atNarrow, receiveBuffer);
        const counts: number[] = [];
        for (const [to, counter] of [
          [socket, atSocket],
          [wide, atWide],
          [narrow, atNarrow],
        ] as const) {
          counts.push(await keptOf(burst, (data) => sender.send(data, to.port, loopback), counter));
          to.close();
        }
        return counts;
      };
      const [small, large] = [await kept(undefined), await kept(4 * standard)];
      sender.close();
      for (const [index, count] of large.entries())
        expect(count).toBeGreaterThan((small[index] ?? burst) * 1.2);
    },
  );
});
