import { expect, it } from 'vitest';
import { TcpReader } from '../../../src/net/node-tcp-reader.ts';

/** A reader whose target keeps all that it gets. */
class Reading {
  borrows: boolean;
  readonly reader: TcpReader = new TcpReader();
  readonly heard: Uint8Array[] = [];

  constructor(borrows: boolean) {
    this.borrows = borrows;
    this.reader.tell(this);
  }

  onRead(data: Uint8Array): void {
    this.heard.push(data);
  }

  get buffer(): Uint8Array {
    const { buffer } = this.reader.options;
    return typeof buffer === 'function' ? buffer() : buffer;
  }

  /** What node:net does for a read of so many bytes, or of as many as there is room for. */
  read(value: number, length: number = this.buffer.length): boolean {
    const { buffer } = this;
    buffer.fill(value, 0, length);
    return this.reader.options.callback(length, buffer);
  }
}

it('reading stops after each read', () => {
  expect([new Reading(false).read(1), new Reading(true).read(1, 10)]).toEqual([false, false]);
});

it('connections share the buffer that they read into, and none hears what is for another one', () => {
  const [one, other] = [new Reading(false), new Reading(true)];
  expect(one.buffer).toBe(other.buffer);
  one.read(1, 3);
  other.read(2, 2);
  one.read(3, 1);
  expect(one.heard).toEqual([Uint8Array.of(1, 1, 1), Uint8Array.of(3)]);
  expect(other.heard).toEqual([Uint8Array.of(2, 2)]);
});

it('who keeps what it gets never has a buffer of its own, however much comes', () => {
  const keeper = new Reading(false);
  const { buffer } = keeper;
  for (const value of [1, 2, 3]) keeper.read(value);
  expect(keeper.buffer).toBe(buffer);
  expect(keeper.heard.map((data) => [data[0], data.at(-1), data.length])).toEqual([
    [1, 1, buffer.length],
    [2, 2, buffer.length],
    [3, 3, buffer.length],
  ]);
});

it('a borrower has a larger one of its own as soon as it fills the shared one, and is lent that again and again', () => {
  const [one, other] = [new Reading(true), new Reading(true)];
  const shared = one.buffer;
  one.read(1, shared.length - 1);
  expect(one.buffer).toBe(shared);
  for (const borrower of [one, other]) borrower.read(1);
  const own = one.buffer;
  expect(own.length).toBeGreaterThan(shared.length);
  expect([own, other.buffer].includes(shared)).toBe(false);
  expect(own.buffer).not.toBe(other.buffer.buffer);
  for (const value of [2, 3]) one.read(value, 100);
  expect(one.buffer).toBe(own);
  expect(one.heard.slice(2).map(({ buffer }) => buffer === own.buffer)).toEqual([true, true]);
});

it('a borrower that is no longer one gets data to keep', () => {
  const reading = new Reading(true);
  reading.read(1);
  reading.borrows = false;
  reading.read(2, 4);
  reading.read(3, 4);
  expect(reading.heard[1]).toEqual(Uint8Array.of(2, 2, 2, 2));
});
