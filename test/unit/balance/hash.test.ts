import { expect, test } from 'vitest';
import { hashOf, mix } from '../../../src/balance/hash.ts';

/** Published values of 32 bits; the last bit is not used. */
test.each([
  // MurmurHash3 (x86, 32 bits) of nothing, by its seed: the finalizer alone.
  [0, 0],
  [1, 0x514e_28b7],
  [0xffff_ffff, 0x81f1_6f39],
])('%i is mixed as by MurmurHash3', (value, expected) => {
  expect(mix(value)).toBe(expected >>> 1);
});

test.each([
  // FNV-1a with 32 bits, by its authors.
  ['', 0x811c_9dc5],
  ['a', 0xe40c_292c],
  ['foobar', 0xbf9c_f968],
])('%j is hashed by FNV-1a, then mixed', (text, expected) => {
  expect(hashOf(text)).toBe(mix(expected));
});

test('a byte is one character, and what is beyond a byte counts too', () => {
  const hashes = ['\u0000', '\u00ff', '\u01ff', '\u0100'].map(hashOf);
  expect(new Set(hashes).size).toBe(4);
});
