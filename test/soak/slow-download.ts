import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { blockOf, encodeAck, encodeRequest, Opcode, opcodeOf } from '../../src/tftp/packet.ts';
import { boundSocket } from '../helpers/sockets.ts';

/** How fast downloads go: each waits before it acknowledges a block, as long as `isSlow` says so. */
export interface Pace {
  /** Milliseconds. */
  readonly pause: number;
  isSlow: boolean;
}

/** Downloads `image` from a port of its own. Rejects when anything but its blocks comes, or what comes is not the file. */
export async function downloadSlowly(server: Endpoint, image: Buffer, pace: Pace): Promise<void> {
  const socket = await boundSocket('127.0.0.1', 0);
  onTestFinished(() => void socket.close());
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const blocks: Buffer[] = [];
  socket.on('error', reject);
  socket.on('message', (data, from) => {
    if (opcodeOf(data) !== Opcode.data) {
      reject(new Error(`behind ${blocks.length} blocks: ${data.toString('latin1')}`));
      return;
    }
    // A repeated one was acknowledged, or is about to be.
    const isNext = blockOf(data) === blocks.length + 1;
    if (isNext) blocks.push(data.subarray(4));
    const acknowledge = (): void => {
      socket.send(encodeAck(blockOf(data)), from.port, from.address);
      if (data.length < 516) resolve();
    };
    if (isNext && pace.isSlow) setTimeout(acknowledge, pace.pause);
    else acknowledge();
  });
  socket.send(encodeRequest(Opcode.rrq, 'image', 'octet'), server.port, server.address);
  await promise;
  if (!Buffer.concat(blocks).equals(image)) throw new Error('not the file that was asked for');
}
