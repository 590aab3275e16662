import { describe, expect, it } from 'vitest';
import type { TcpSocket } from '../../src/net/tcp.ts';
import { bytes, TcpEar, type TcpScene } from './net-tcp-scene.ts';

/** More than any system keeps for a connection that nobody reads. */
const plenty = 64 * 2 ** 20;
const chunk = 2 ** 20;

/** Bytes that are different in each chunk and at each place. */
function chunkOf(index: number): Uint8Array {
  return new Uint8Array(chunk).map((_, place) => (place * 7 + index) % 251);
}

/** Writes until nothing more is taken for a while; returns what was written. */
async function fill(socket: TcpSocket, scene: TcpScene): Promise<Uint8Array[]> {
  const written: Uint8Array[] = [];
  while (written.length * chunk < plenty) {
    const data = chunkOf(written.length);
    written.push(data);
    if (socket.write(data)) continue;
    await passTime(scene);
    if (socket.pending > 0) return written;
  }
  throw new Error('writing never met a limit');
}

/** Is content with data that is lent. */
class Borrower extends TcpEar {
  readonly borrows = true;
}

/** Lets so much time pass that another connection has carried bytes to and fro. */
async function passTime({ pair, until }: TcpScene): Promise<void> {
  const echo = new TcpEar((data) => server.socket.write(data));
  const { client, server } = await pair(new TcpEar(), echo);
  for (let round = 1; round <= 3; round++) {
    client.socket.write(bytes('x'));
    await until(() => client.ear.length === round);
  }
  client.socket.reset();
}

export function flowContract(scene: () => TcpScene): void {
  describe('data', () => {
    it('arrives in order and with its bytes, both ways', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      const free: boolean[] = [];
      for (const text of ['one', '', '\0\xff', 'two']) {
        free.push(client.socket.write(bytes(text)));
        free.push(server.socket.write(bytes(`${text}!`)));
      }
      // Of what follows at once a layer may keep something for a moment, and one that is for writing all of it.
      expect(free[0]).toBe(true);
      await until(() => server.ear.length === 8 && client.ear.length === 12);
      expect([server.ear.data, client.ear.data]).toEqual(['one\0\xfftwo', 'one!!\0\xff!two!']);
      await until(() => client.socket.pending + server.socket.pending === 0);
      const events = [...client.ear.events, ...server.ear.events];
      expect(events.filter((event) => event !== 'drain')).toEqual([]);
    });

    it('is the receiver’s to keep', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      const sent: string[] = [];
      for (let round = 0; round < 20; round++) {
        sent.push(`round ${round};`.repeat(100));
        client.socket.write(bytes(sent.at(-1) ?? ''));
        const length = sent.join('').length;
        await until(() => server.ear.length === length);
      }
      expect(server.ear.data).toBe(sent.join(''));
    });

    it('that is lent is good for the call, and for a pause that begins in it', async () => {
      const { pair, until } = scene();
      const sent = chunkOf(0);
      let place = 0;
      const isNext = (data: Uint8Array): boolean =>
        Buffer.compare(data, sent.subarray(place, place + data.length)) === 0;
      const ear = new Borrower((data) => {
        expect(isNext(data)).toBe(true);
        server.socket.pause();
      });
      const { client, server } = await pair(new TcpEar(), ear);
      client.socket.write(sent);
      client.socket.end();
      for (let heard = 0; place < sent.length; heard++) {
        await until(() => ear.chunks.length > heard);
        if (heard < 5) await passTime(scene());
        const data = ear.chunks[heard] ?? new Uint8Array();
        expect(isNext(data)).toBe(true);
        place += data.length;
        server.socket.resume();
      }
      await until(() => ear.events.length > 0);
      expect([place, ear.events]).toEqual([sent.length, ['end']]);
    });

    it('waits for handlers, and nothing is lost before they come', async () => {
      const { quietPair, until } = scene();
      const { client, server } = await quietPair();
      client.write(bytes('early'));
      client.end();
      await passTime(scene());
      const ear = new TcpEar();
      server.handle(ear);
      expect(ear.chunks).toEqual([]);
      await until(() => ear.events.length > 0);
      expect([ear.data, ear.events]).toEqual(['early', ['end']]);
    });

    it('goes to the handlers that were set last', async () => {
      const { pair, until } = scene();
      const next = new TcpEar();
      const first = new TcpEar(() => server.socket.handle(next));
      const { client, server } = await pair(new TcpEar(), first);
      client.socket.write(bytes('1'));
      await until(() => first.length === 1);
      client.socket.write(bytes('2'));
      client.socket.end();
      await until(() => next.events.length > 0);
      server.socket.end();
      await until(() => next.isClosed);
      expect([first.data, first.events]).toEqual(['1', []]);
      expect([next.data, next.events]).toEqual(['2', ['end', 'close clean']]);
    });
  });

  describe('a receiver that pauses', () => {
    it('stops the sender, which goes on when it may and loses nothing', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      server.socket.pause();
      const written = await fill(client.socket, scene());
      const { length: before } = client.ear.events;
      expect(client.socket.pending).toBeGreaterThan(0);
      await passTime(scene());
      expect([server.ear.length, client.ear.events.length]).toEqual([0, before]);
      expect(client.socket.pending).toBeGreaterThan(0);
      server.socket.resume();
      await until(() => server.ear.length === written.length * chunk);
      await until(() => client.ear.events.length > before);
      expect([client.ear.events.slice(before), client.socket.pending]).toEqual([['drain'], 0]);
      expect(Buffer.concat(server.ear.chunks).equals(Buffer.concat(written))).toBe(true);
    });

    it('hears no more, from within a call too, until it resumes', async () => {
      const { pair, until } = scene();
      const ear = new TcpEar(() => server.socket.pause());
      const { client, server } = await pair(new TcpEar(), ear);
      const total = 300_000;
      client.socket.write(new Uint8Array(total));
      client.socket.end();
      for (let heard = 1; ear.length < total; heard++) {
        await until(() => ear.chunks.length === heard);
        expect(ear.events).toEqual([]);
        if (heard === 2) await passTime(scene());
        expect(ear.chunks.length).toBe(heard);
        server.socket.resume();
      }
      server.socket.resume();
      await until(() => ear.events.length > 0);
      expect([ear.length, ear.events]).toEqual([total, ['end']]);
    });

    it('hears of the end, and of the close behind it, when it resumes', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      server.socket.pause();
      server.socket.end();
      client.socket.end();
      await until(() => client.ear.isClosed);
      await passTime(scene());
      expect(server.ear.events).toEqual([]);
      server.socket.resume();
      await until(() => server.ear.isClosed);
      expect(server.ear.events).toEqual(['end', 'close clean']);
    });

    it('still sends', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      server.socket.pause();
      await fill(client.socket, scene());
      server.socket.write(bytes('hello'));
      await until(() => client.ear.data === 'hello');
    });
  });

  describe('end', () => {
    it('comes after all that was written, however much waits, and drains as usual', async () => {
      const { pair, until } = scene();
      const { client, server } = await pair();
      server.socket.pause();
      const written = await fill(client.socket, scene());
      const { length: before } = client.ear.events;
      client.socket.end();
      expect(client.socket.pending).toBeGreaterThan(0);
      server.socket.resume();
      await until(() => server.ear.events.length > 0 && client.ear.events.length > before);
      expect([server.ear.events, client.ear.events.slice(before)]).toEqual([['end'], ['drain']]);
      expect(server.ear.length).toBe(written.length * chunk);
    });
  });
}
