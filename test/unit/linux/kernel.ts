/** Sockets of the kernel for tests, or the reason why there are none here. */
import { networkInterfaces } from 'node:os';
import { Epoll } from '../../../src/linux/epoll.ts';
import type { Libc } from '../../../src/linux/libc.ts';
import { loadLibc } from '../../../src/linux/load-libc.ts';
import { MessageBatch } from '../../../src/linux/message-batch.ts';
import { bind, boundTo, close, openUdp } from '../../../src/linux/sockets.ts';
import { encodeName } from '../../../src/linux/name-codec.ts';
import type { Endpoint } from '../../../src/net/net.ts';
import { ownLoopback } from '../../helpers/sockets.ts';

const load = loadLibc();

/** For skipIf: not Linux, or koffi is not installed. */
export const isElsewhere: boolean = load.kind === 'unavailable';

/** The address families that the loopback interface has. */
export const families: readonly (4 | 6)[] = hasIpv6() ? [4, 6] : [4];

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((addresses) =>
    addresses?.some(({ address }) => address === '::1'),
  );
}

export const loopback = { 4: '127.0.0.1', 6: '::1' } as const;

/** Call it only where `isElsewhere` is false. */
export function libcHere(): Libc {
  if (load.kind === 'unavailable') throw new Error(load.reason);
  return load.libc;
}

/** Sockets that are closed together. */
export class SocketLab {
  readonly #descriptors: number[] = [];

  get libc(): Libc {
    return libcHere();
  }

  open(family: 4 | 6): number {
    const fd = openUdp(this.libc, family);
    this.#descriptors.push(fd);
    return fd;
  }

  /** On the loopback address and a port that the kernel chooses. */
  bound(family: 4 | 6, address: string = loopback[family]): { fd: number; at: Endpoint } {
    const fd = this.open(family);
    bind(this.libc, fd, { address, port: 0 });
    return { fd, at: boundTo(this.libc, fd) };
  }

  /** A port of this host that nothing listens on. */
  closedPort(family: 4 | 6): Endpoint {
    const fd = openUdp(this.libc, family);
    bind(this.libc, fd, { address: family === 4 ? ownLoopback() : loopback[family], port: 0 });
    const at = boundTo(this.libc, fd);
    close(this.libc, fd);
    return at;
  }

  /** A batch whose messages, in this order, hold one text each for `to`. */
  batchOf(texts: readonly string[], to: Endpoint): MessageBatch {
    const batch = new MessageBatch(this.libc, { slots: Math.max(texts.length, 1) });
    for (const [index, text] of texts.entries()) {
      batch.write(index, Buffer.from(text));
      batch.peers.set(index, encodeName(this.libc, to));
    }
    return batch;
  }

  /** Waits until a descriptor has something to tell. */
  untilReady(fd: number): void {
    const epoll = new Epoll(this.libc, 1);
    try {
      epoll.add(fd);
      if (epoll.wait(5000) !== 1) throw new Error('nothing came');
    } finally {
      epoll.close();
    }
  }

  /** Receives what has come, once there is something. */
  received(fd: number): { batch: MessageBatch; count: number } {
    this.untilReady(fd);
    const batch = new MessageBatch(this.libc);
    return { batch, count: batch.receive(fd) };
  }

  close(): void {
    for (const fd of this.#descriptors.splice(0)) close(this.libc, fd);
  }
}

/** The data of a slot as text. */
export function textOf(batch: MessageBatch, index: number): string {
  return Buffer.from(batch.data(index).subarray(0, batch.length(index))).toString();
}
