import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import type { Endpoint } from '../../../src/net/net.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import type { TcpListener, TcpSocket } from '../../../src/net/tcp.ts';
import { bytes, rejectionOf, TcpEar } from '../../contract/net-tcp-scene.ts';
import { openTcpSockets, until } from '../../contract/real-world.ts';

const net = createNodeNet();
const loopback = '127.0.0.1';
const closers: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  await until(() => openTcpSockets() === 0);
});

async function listen(onConnection: (socket: TcpSocket) => void): Promise<TcpListener> {
  const at = { address: loopback, port: 0 };
  const listener = await net.listenTcp(at, { onConnection, onError: () => undefined });
  closers.push(() => listener.close());
  return listener;
}

/** A listener of node:net itself. */
async function listenPlainly(onConnection: (socket: Socket) => void): Promise<Endpoint> {
  const server = createServer({ allowHalfOpen: true }, onConnection).listen(0, loopback);
  closers.push(() => server.close());
  await once(server, 'listening');
  return { address: loopback, port: (server.address() as AddressInfo).port };
}

/** A listener that accepts nobody, and whose queue is full. */
async function deafListener(): Promise<Endpoint> {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:net').createServer();
    server.listen({ host: '${loopback}', port: 0, backlog: 1 }, () => {
      parentPort.postMessage(server.address().port);
      setImmediate(() => Atomics.wait(workerData, 0, 0));
    });`;
  const worker = new Worker(code, { eval: true, workerData: gate });
  closers.push(() => {
    Atomics.store(gate, 0, 1);
    Atomics.notify(gate, 0);
    return worker.terminate();
  });
  const [port] = (await once(worker, 'message')) as [number];
  for (let queued = 0; queued < 10; queued++) {
    const attempt = net.connectTcp({ address: loopback, port }, { timeout: 250 });
    attempt.then(
      (socket) => closers.push(() => socket.reset()),
      () => undefined,
    );
    if ((await rejectionOf(attempt)) !== 'TLB_ERR_TIMEOUT') continue;
    await until(() => openTcpSockets() === queued);
    return { address: loopback, port };
  }
  throw new Error('the queue of the listener was never full');
}

/** Has a peer of node:net write, and reset the connection as soon as the system has the bytes. */
function writeAndReset(socket: Socket, length: number): void {
  socket.on('error', () => undefined).resume();
  socket.write(new Uint8Array(length), () => socket.resetAndDestroy());
}

describe('a reset right after data', () => {
  const sizes = [1, 100, 5000, 65_535, 65_536, 65_537, 200_000];
  const rounds = [...sizes, ...sizes, ...sizes];

  it.each([
    ['that only reads', () => undefined],
    ['that has ended its own direction', (socket: TcpSocket) => socket.end()],
    ['that writes', (socket: TcpSocket) => socket.write(bytes('x'))],
  ])('is a reset to a client %s', async (_name, act) => {
    const lengths = [...rounds];
    const at = await listenPlainly((socket) => {
      const length = lengths.shift() ?? 1;
      socket.once('data', () => writeAndReset(socket, length));
    });
    for (const length of rounds) {
      const socket = await net.connectTcp(at, { timeout: 10_000 });
      const ear = new TcpEar();
      socket.handle(ear);
      socket.write(bytes('go'));
      act(socket);
      await until(() => ear.isClosed);
      expect(ear.events).toEqual(['close reset']);
      expect(ear.length).toBeLessThanOrEqual(length);
    }
  });

  it.each([
    ['that only reads', () => undefined],
    ['that ends its own direction with the first data', (socket: TcpSocket) => socket.end()],
  ])('is a reset to a server %s', async (_name, act) => {
    for (const length of rounds) {
      const ear = new TcpEar(() => accepted?.end());
      let accepted: TcpSocket | undefined;
      const listener = await listen((socket) => {
        accepted = socket;
        act(socket);
        socket.handle(ear);
      });
      writeAndReset(connect({ host: loopback, port: listener.port }), length);
      await until(() => ear.isClosed);
      expect(ear.events).toEqual(['close reset']);
      listener.close();
    }
  });

  it('before anybody looked at the connection leaves nothing of it', async () => {
    const accepted: TcpSocket[] = [];
    const listener = await listen((socket) => accepted.push(socket));
    const gate = new Int32Array(new SharedArrayBuffer(4));
    const code = `
      const { workerData } = require('node:worker_threads');
      const socket = require('node:net').connect({ host: '${loopback}', port: workerData.port }, () => {
        socket.resetAndDestroy();
        setImmediate(() => {
          Atomics.store(workerData.gate, 0, 1);
          Atomics.notify(workerData.gate, 0);
        });
      });`;
    const worker = new Worker(code, { eval: true, workerData: { gate, port: listener.port } });
    const exit = once(worker, 'exit');
    // This thread accepts nothing as long as it waits here.
    expect(Atomics.wait(gate, 0, 0, 10_000)).not.toBe('timed-out');
    await exit;
    const ear = new TcpEar();
    const next = await net.connectTcp(listener, { timeout: 10_000 });
    next.handle(ear);
    await until(() => accepted.length > 0);
    expect(accepted.map(({ remote }) => remote)).toEqual([next.local]);
    for (const socket of accepted) socket.reset();
    await until(() => ear.isClosed);
  });
});

describe('an attempt that nobody answers', () => {
  it('is given up after its time, and leaves nothing open', async () => {
    const at = await deafListener();
    const before = openTcpSockets();
    expect(before).toBeGreaterThan(0);
    await expect(net.connectTcp(at, { timeout: 50 })).rejects.toMatchObject({
      code: 'TLB_ERR_TIMEOUT',
      message: `cannot connect to ${loopback} port ${at.port}: no answer within 50 ms`,
    });
    await until(() => openTcpSockets() === before);
  });

  it('is given up when the signal says so, and leaves nothing open', async () => {
    const at = await deafListener();
    const before = openTcpSockets();
    const controller = new AbortController();
    const attempt = net.connectTcp(at, { timeout: 60_000, signal: controller.signal });
    await sleep(10);
    expect(openTcpSockets()).toBe(before + 1);
    controller.abort('enough');
    await expect(attempt).rejects.toBe('enough');
    await until(() => openTcpSockets() === before);
  });
});

describe('sockets of node:net', () => {
  it('tell IPv4-mapped addresses as IPv4', async () => {
    const accepted: TcpSocket[] = [];
    const { port } = await listen((socket) => accepted.push(socket));
    const client = await net.connectTcp({ address: '::ffff:127.0.0.1', port }, { timeout: 10_000 });
    await until(() => accepted.length === 1);
    expect(client.remote).toEqual({ address: loopback, port });
    expect(client.local).toEqual(accepted[0]?.remote);
    for (const socket of [client, ...accepted]) socket.reset();
  });

  it.skipIf(!existsSync('/proc/net/tcp'))('ask silent peers for signs of life, on both sides', async () => {
    const accepted: TcpSocket[] = [];
    const { port } = await listen((socket) => accepted.push(socket));
    const client = await net.connectTcp({ address: loopback, port }, { timeout: 10_000 });
    await until(() => accepted.length === 1);
    const hex = client.local.port.toString(16).toUpperCase().padStart(4, '0');
    const established = (): string[] =>
      readFileSync('/proc/net/tcp', 'latin1')
        .split('\n')
        .filter((line) => line.includes(`:${hex} `) && / 01 /.test(line));
    // Columns: number, local, remote, state, queues, timer and when it expires. Timer 2 is that of keepalive.
    await until(() => established().every((line) => / 01 \S+ 02:/.test(line)));
    expect(established().length).toBe(2);
    for (const socket of [client, ...accepted]) socket.reset();
  });
});

describe('a process without file descriptors', () => {
  it('says that it cannot accept, resets the connection, and recovers', async () => {
    const code = `
      import { closeSync, openSync } from 'node:fs';
      import { createInterface } from 'node:readline';
      import { createNodeNet } from ${JSON.stringify(new URL('../../../src/net/node-net.ts', import.meta.url).href)};
      const input = createInterface({ input: process.stdin });
      const listener = await createNodeNet().listenTcp(
        { address: '${loopback}', port: 0 },
        {
          onConnection: (socket) => socket.write(Buffer.from('hello')),
          onError: (error) => console.log(error.code),
        },
      );
      const files = [];
      try {
        for (;;) files.push(openSync('/dev/null', 'r'));
      } catch {
        closeSync(files.pop());
      }
      console.log(listener.port);
      input.on('line', () => {
        files.forEach(closeSync);
        console.log('recovered');
      });`;
    const command = 'ulimit -n 100 && exec "$0" --input-type=module -e "$1"';
    const child = spawn('sh', ['-c', command, process.execPath, code], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    closers.push(() => child.kill());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const line = async (): Promise<string> => (await lines.next()).value as string;
    const at = { address: loopback, port: Number(await line()) };

    for (let round = 0; round < 3; round++) {
      const ear = new TcpEar();
      const attempt = net.connectTcp(at, { timeout: 10_000 }).then((socket) => socket.handle(ear));
      const outcome = rejectionOf(attempt);
      expect(await line()).toBe('TLB_ERR_NO_DESCRIPTORS');
      // The reset may arrive before the connection is seen to stand.
      if ((await outcome) === 'TLB_ERR_REFUSED') continue;
      await until(() => ear.isClosed);
      expect(ear.events).toEqual(['close reset']);
    }
    child.stdin.write('\n');
    expect(await line()).toBe('recovered');
    const ear = new TcpEar();
    const socket = await net.connectTcp(at, { timeout: 10_000 });
    socket.handle(ear);
    await until(() => ear.data === 'hello');
    socket.reset();
  });

  it.each([
    ['listen', 'listenTcp({ address, port: 0 }, {}).then((listener) => { listener.close(); '],
    ['connect', 'connectTcp({ address, port }, { timeout: 10_000 }).then((socket) => { socket.reset(); '],
  ])('says that it cannot %s, for as long as that would take the last one', async (_, attempt) => {
    const { port } = await listenPlainly((socket) => {
      socket.on('error', () => undefined).on('end', () => socket.end());
      socket.resume();
    });
    const code = `
      import { closeSync, openSync } from 'node:fs';
      import { createNodeNet } from ${JSON.stringify(new URL('../../../src/net/node-net.ts', import.meta.url).href)};
      const net = createNodeNet();
      const [address, port] = ['${loopback}', ${port}];
      const files = [];
      try {
        for (;;) files.push(openSync('/dev/null', 'r'));
      } catch {}
      const attempt = () => net.${attempt}return 'done'; }, (error) => error.code);
      const outcomes = [];
      while (files.length > 0 && outcomes.at(-1) !== 'done') {
        outcomes.push(await attempt());
        closeSync(files.pop());
      }
      console.log(outcomes.length > 2, [...new Set(outcomes)].join());
      process.exit(0);`;
    const command = 'ulimit -n 100 && exec "$0" --input-type=module -e "$1"';
    const child = spawn('sh', ['-c', command, process.execPath, code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    closers.push(() => child.kill());
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('true TLB_ERR_NO_DESCRIPTORS,done');
  });
});
