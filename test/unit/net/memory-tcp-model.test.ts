import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { TcpSocket } from '../../../src/net/tcp.ts';
import { TcpEar } from '../../contract/net-tcp-scene.ts';

type Side = 'client' | 'server';

const acts = [
  'write',
  'write',
  'write',
  'pass',
  'pass',
  'pause',
  'resume',
  'resume',
  'end',
  'reset',
] as const;
/** What is done, by which side, and with how many bytes or milliseconds. */
const steps = fc.array(
  fc.tuple(fc.constantFrom(...acts), fc.constantFrom<Side>('client', 'server'), fc.nat(90_000)),
  { maxLength: 40 },
);

/** Each byte tells its place, so that any gap, copy or swap shows. */
function byteAt(place: number): number {
  return (place ^ (place >> 8) ^ (place >> 16)) & 0xff;
}

/** One end, what was done to it, and what it heard. */
class End {
  readonly ear: TcpEar = new TcpEar();
  readonly #socket: TcpSocket;
  written = 0;
  hasEnded = false;
  hasReset = false;

  constructor(socket: TcpSocket) {
    this.#socket = socket;
    socket.handle(this.ear);
  }

  get close(): string | undefined {
    return this.ear.events.find((event) => event.startsWith('close'));
  }

  write(length: number): void {
    if (this.hasEnded || this.hasReset || this.ear.isClosed) return;
    const start = this.written;
    this.written += length;
    this.#socket.write(new Uint8Array(length).map((_, index) => byteAt(start + index)));
  }

  end(): void {
    if (this.hasReset) return;
    this.hasEnded = true;
    this.#socket.end();
  }

  reset(): void {
    this.hasReset ||= !this.ear.isClosed;
    this.#socket.reset();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }
}

async function connected(seed: number): Promise<{ net: MemoryNet; ends: Record<Side, End> }> {
  const net = new MemoryNet({ seed, link: { minDelay: 1, maxDelay: 5 } });
  const [here, there] = [net.host(['192.0.2.1']), net.host(['192.0.2.2'])];
  const accepted: TcpSocket[] = [];
  const onConnection = (socket: TcpSocket) => accepted.push(socket);
  const at = { address: '192.0.2.2', port: 20_000 };
  const listener = await there.listenTcp(at, { onConnection, onError: () => undefined });
  const client = new End(await net.play(here.connectTcp(at, { timeout: 1000 })));
  listener.close();
  const [socket] = accepted;
  if (socket === undefined) throw new Error('nothing was accepted');
  return { net, ends: { client, server: new End(socket) } };
}

/** What holds for `end` of a connection whose other end is `peer`, whatever happened. */
function expectTruth(end: End, peer: End): void {
  const heard = Buffer.concat(end.ear.chunks);
  expect(heard.length).toBeLessThanOrEqual(peer.written);
  expect(heard.every((byte, place) => byte === byteAt(place))).toBe(true);

  const { events } = end.ear;
  expect(events.filter((event) => event === 'end').length).toBeLessThanOrEqual(1);
  if (end.close !== undefined) expect(events.indexOf(end.close)).toBe(events.length - 1);
  if (events.includes('end')) {
    expect([peer.hasEnded, heard.length]).toEqual([true, peer.written]);
  }
  if (end.close === 'close clean') expect([events.includes('end'), end.hasEnded]).toEqual([true, true]);
  if (end.close === 'close aborted') expect(end.hasReset).toBe(true);
  if (end.close === 'close reset') expect(peer.hasReset).toBe(true);
}

describe('a connection in memory', () => {
  it('tells the truth about every byte and every end, whatever is done to it', async () => {
    const ways = new Set<string | undefined>();
    await fc.assert(
      fc.asyncProperty(steps, fc.nat(), async (steps, seed) => {
        const { net, ends } = await connected(seed);
        const { client, server } = ends;
        for (const [act, side, amount] of steps) {
          if (act === 'write') ends[side].write(amount);
          else if (act === 'pass') net.advance(amount / 9000);
          else ends[side][act]();
        }
        for (const end of [client, server]) end.resume();
        net.runUntilIdle();

        expectTruth(client, server);
        expectTruth(server, client);
        ways.add(client.close);
        const isOver = client.hasReset || server.hasReset || (client.hasEnded && server.hasEnded);
        expect([client.close, server.close].includes(undefined)).toBe(!isOver);
        if (isOver) expect(net.openSockets).toBe(0);
      }),
      { numRuns: 300 },
    );
    expect(ways).toEqual(new Set([undefined, 'close clean', 'close reset', 'close aborted']));
  });
});
