import { expect, test } from 'vitest';
import { Scratch } from '../../../src/net/scratch.ts';

const pieces = (...texts: string[]): Uint8Array[] => texts.map((text) => Buffer.from(text));
const textOf = (data: Uint8Array): string => Buffer.from(data).toString();

test('pieces are joined in their order, in the same memory each time', () => {
  const scratch = new Scratch();
  const first = scratch.join(pieces('ab', 'c', 'de'));
  expect(textOf(first)).toBe('abcde');
  expect(textOf(scratch.join(pieces('x', 'yz')))).toBe('xyz');
  expect(textOf(first)).toBe('xyzde');
});

test('what was given away is not overwritten', () => {
  const scratch = new Scratch();
  const first = scratch.join(pieces('ab', 'c'));
  scratch.giveAway();
  scratch.join(pieces('x', 'yz'));
  expect(textOf(first)).toBe('abc');
});

test('what does not fit into the memory is joined all the same, and for good', () => {
  const scratch = new Scratch();
  const large = [Buffer.alloc(262_144, 'a'), Buffer.from('b')];
  const joined = scratch.join(large);
  expect(joined).toEqual(Buffer.concat(large));
  scratch.join([Buffer.alloc(262_144, 'c')]);
  expect(joined[0]).toBe('a'.codePointAt(0));
});
