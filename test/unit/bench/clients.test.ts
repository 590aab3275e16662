import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';

import { afterEach, beforeAll, describe, expect, test } from 'vitest';

import { loopback } from '../../../bench/messages.ts';
import { type ClientPort, openOwnPorts } from '../../../bench/wire/client-ports.ts';
import { Download, type File } from '../../../bench/wire/download.ts';
import { type Crowd, startLoad } from '../../../bench/wire/loads.ts';
import { Wire } from '../../../bench/wire/wire.ts';
import { blockOf, encodeAck, encodeData, encodeOack, Opcode } from '../../../src/tftp/packet.ts';
import { decodeRequest } from '../../../src/tftp/request.ts';

const isLinux = process.platform === 'linux';
const sources = { first: '127.64.0.1', count: 2 } as const;

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

let wire: Wire;
beforeAll(() => {
  if (isLinux) wire = new Wire();
});

/** A server that says what the test tells it to. */
class Script {
  readonly #socket: Socket = createSocket('udp4');
  readonly #arrived: [Buffer, RemoteInfo][] = [];
  #client: RemoteInfo | undefined;

  async open(): Promise<void> {
    this.#socket.on('message', (data, from) => this.#arrived.push([data, from]));
    cleanups.push(() => this.#socket.close());
    this.#socket.bind(0, loopback);
    await once(this.#socket, 'listening');
  }

  get place(): { address: string; port: number } {
    return { address: loopback, port: this.#socket.address().port };
  }

  /** Where the last packet came from. */
  get client(): RemoteInfo | undefined {
    return this.#client;
  }

  /** The next packet of a client. */
  async next(): Promise<Buffer> {
    while (this.#arrived.length === 0) await clientsTurn();
    const [data, from] = this.#arrived.shift() ?? [];
    this.#client = from;
    return data ?? Buffer.alloc(0);
  }

  send(...packets: readonly Uint8Array[]): void {
    for (const packet of packets) this.#socket.send(packet, this.#client?.port ?? 0, this.#client?.address);
  }
}

async function clientsTurn(): Promise<void> {
  wire.serve();
  await turn();
}

async function openScript(): Promise<Script> {
  const server = new Script();
  await server.open();
  return server;
}

function data(block: number): Uint8Array {
  return encodeData(block, new Uint8Array(1_428));
}

function openDownload(file: File, server: Script, onEnd: () => void = () => {}): Download {
  const receivers: Download[] = [];
  const [port] = openOwnPorts(wire, sources, 1, receivers);
  const download = new Download(wire, port as ClientPort, { file, target: server.place, onEnd });
  receivers.push(download);
  cleanups.push(() => {
    download.stop();
    port?.port.close();
  });
  return download;
}

/** A download whose request was answered. */
async function begin(windowsize: number): Promise<{ download: Download; server: Script }> {
  const server = await openScript();
  const download = openDownload({ kind: 'endless', windowsize }, server);
  download.read(0);
  await server.next();
  server.send(encodeOack({ blksize: '1428' }));
  expect(await server.next()).toEqual(Buffer.from(encodeAck(0)));
  return { download, server };
}

function start(...load: Parameters<typeof startLoad> extends [Wire, ...infer Rest] ? Rest : never): Crowd {
  const crowd = startLoad(wire, ...load);
  cleanups.push(() => crowd.stop());
  return crowd;
}

describe.skipIf(!isLinux)('a download without an end', () => {
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
    const server = await openScript();
    const download = openDownload({ kind: 'endless', windowsize: 1 }, server);
    download.read(0);
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

  test('tells the server when it is stopped', async () => {
    const { download, server } = await begin(1);
    download.stop();
    expect((await server.next())[1]).toBe(Opcode.error);
  });
});

describe.skipIf(!isLinux)('a download of one block', () => {
  test('asks again for a transfer that stalls, and acknowledges it once', async () => {
    const server = await openScript();
    let done = 0;
    const download = openDownload({ kind: 'blocks', blocks: 1 }, server, () => (done += 1));
    download.read(1234);
    const request = await server.next();
    expect(decodeRequest(request)).toMatchObject({ file: 'f00001234', options: [] });
    download.sweep();
    download.sweep();
    expect(await server.next()).toEqual(request);
    server.send(encodeData(1, new Uint8Array(3)), encodeData(1, new Uint8Array(3)));
    expect(blockOf(await server.next())).toBe(1);
    expect({ done, repeats: download.repeats, isBusy: download.isBusy }).toEqual({
      done: 1,
      repeats: 1,
      isBusy: false,
    });
  });
});

describe.skipIf(!isLinux)('a crowd', () => {
  test('of idle sessions takes first blocks and then waits', async () => {
    const server = await openScript();
    const crowd = start({ kind: 'idle', sessions: 1 }, { targets: [server.place], sources });
    await server.next();
    server.send(encodeOack({ blksize: '1428' }));
    await server.next();
    server.send(data(1));
    while (crowd.count().units < 1) await clientsTurn();
    crowd.sweep();
    crowd.sweep();
    expect(crowd.count()).toMatchObject({ units: 1, repeats: 0, errors: 0 });
  });

  test('reads files from addresses and ports that take turns, and says how long that took', async () => {
    const server = await openScript();
    const load = { kind: 'transfers', sessions: 1, blocks: 1 } as const;
    const crowd = start(load, { targets: [server.place], sources });
    const clients = [];
    for (let transfer = 0; transfer < 3; transfer++) {
      await server.next();
      clients.push(server.client);
      server.send(encodeData(1, new Uint8Array(3)));
      expect(blockOf(await server.next())).toBe(1);
    }
    const [first, second, third] = clients;
    expect([first?.address, second?.address, third?.address]).toEqual([
      '127.64.0.1',
      '127.64.0.2',
      '127.64.0.1',
    ]);
    expect(second?.port).toBe(first?.port);
    expect(third?.port).not.toBe(first?.port);
    const { units, latencies } = crowd.count();
    expect(units).toBe(3);
    expect(latencies.reduce((sum, count) => sum + count)).toBe(3);
  });
});
