import type { RemoteInfo, Socket } from 'node:dgram';
import { once } from 'node:events';

import { afterEach, describe, expect, test } from 'vitest';

import { loopback } from '../../../bench/messages.ts';
import { Download } from '../../../bench/wire/download.ts';
import { startLoad } from '../../../bench/wire/loads.ts';
import { OneBlockClient } from '../../../bench/wire/one-block-client.ts';
import { openSocket } from '../../../bench/wire/socket.ts';
import { blockOf, encodeAck, encodeData, encodeOack, Opcode } from '../../../src/tftp/packet.ts';
import { decodeRequest } from '../../../src/tftp/request.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** A server that says what the test tells it to. */
class Script {
  readonly #socket: Socket;
  readonly #arrived: [Buffer, RemoteInfo][] = [];
  #client = 0;

  constructor() {
    this.#socket = openSocket();
    this.#socket.on('message', (data, from) => this.#arrived.push([data, from]));
    cleanups.push(() => this.#socket.close());
  }

  get port(): number {
    return this.#socket.address().port;
  }

  /** The next packet of the client. */
  async next(): Promise<Buffer> {
    if (this.#arrived.length === 0) await once(this.#socket, 'message');
    const [data, from] = this.#arrived.shift() ?? [];
    this.#client = from?.port ?? 0;
    return data ?? Buffer.alloc(0);
  }

  send(...packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#socket.send(packet, this.#client, loopback);
  }
}

function data(block: number): Uint8Array {
  return encodeData(block, new Uint8Array(1_428));
}

/** A download whose request was answered. */
async function begin(windowsize: number): Promise<{ download: Download; server: Script }> {
  const server = new Script();
  const download = new Download({ port: server.port, windowsize });
  cleanups.push(() => download.stop());
  await server.next();
  server.send(encodeOack({ blksize: '1428' }));
  expect(await server.next()).toEqual(Buffer.from(encodeAck(0)));
  return { download, server };
}

describe('a download', () => {
  test('acknowledges each block and counts it', async () => {
    const { download, server } = await begin(1);
    for (const block of [1, 2, 3]) {
      server.send(data(block));
      expect(blockOf(await server.next())).toBe(block);
    }
    expect(download).toMatchObject({ blocks: 3, repeats: 0, errors: 0 });
  });

  test('acknowledges a whole window at once, and goes back to a block that was lost', async () => {
    const { download, server } = await begin(4);
    server.send(data(1), data(2), data(3), data(4));
    expect(blockOf(await server.next())).toBe(4);
    server.send(data(5), data(7), data(8));
    expect(blockOf(await server.next())).toBe(5);
    server.send(data(6), data(7), data(8), data(9));
    expect(blockOf(await server.next())).toBe(9);
    expect(download).toMatchObject({ blocks: 9, repeats: 1 });
  });

  test('asks again for what does not come, each time that nothing has come since', async () => {
    const server = new Script();
    const download = new Download({ port: server.port, windowsize: 1 });
    cleanups.push(() => download.stop());
    const request = await server.next();
    expect(decodeRequest(request).opcode).toBe(Opcode.rrq);
    download.sweep();
    download.sweep();
    expect(await server.next()).toEqual(request);
    server.send(encodeOack({ blksize: '1428' }));
    expect(blockOf(await server.next())).toBe(0);
    server.send(data(1));
    expect(blockOf(await server.next())).toBe(1);
    download.sweep();
    download.sweep();
    expect(blockOf(await server.next())).toBe(1);
    expect(download).toMatchObject({ blocks: 1, repeats: 2 });
  });
});

test('a client of one block asks again for a transfer that stalls, and acknowledges it once', async () => {
  const server = new Script();
  let done = 0;
  const client = new OneBlockClient(server.port, () => (done += 1));
  cleanups.push(() => client.stop());
  client.read(1234);
  const request = await server.next();
  expect(decodeRequest(request).file).toBe('f00001234');
  client.sweep();
  client.sweep();
  expect(await server.next()).toEqual(request);
  server.send(encodeData(1, new Uint8Array(3)), encodeData(1, new Uint8Array(3)));
  expect(blockOf(await server.next())).toBe(1);
  expect({ done, repeats: client.repeats, isBusy: client.isBusy }).toEqual({
    done: 1,
    repeats: 1,
    isBusy: false,
  });
});

test('idle sessions take their first block and then wait', async () => {
  const server = new Script();
  const crowd = startLoad({ kind: 'idle', sessions: 1 }, server.port);
  cleanups.push(() => crowd.stop());
  await server.next();
  server.send(encodeOack({ blksize: '1428' }));
  await server.next();
  server.send(data(1));
  await expect.poll(() => crowd.count().units).toBe(1);
  crowd.sweep();
  crowd.sweep();
  expect(crowd.count()).toEqual({ units: 1, repeats: 0, errors: 0 });
});
