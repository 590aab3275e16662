import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeNetascii, NetasciiDecoder } from '../../../src/tftp/netascii.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const textOf = (parts: readonly Uint8Array[]): string => Buffer.concat(parts).toString('latin1');

function decoded(...parts: readonly Uint8Array[]): string {
  const decoder = new NetasciiDecoder();
  return textOf([...parts.map((part) => decoder.decode(part).slice()), decoder.end()]);
}

describe('netascii', () => {
  it.each([
    ['', ''],
    ['plain', 'plain'],
    ['a\nb\n', 'a\r\nb\r\n'],
    ['a\rb', 'a\r\0b'],
    ['a\r\nb', 'a\r\0\r\nb'],
    ['\xff\0\x80', '\xff\0\x80'],
  ])('has %j as %j on the wire', (local, wire) => {
    expect(textOf([encodeNetascii(bytes(local))])).toBe(wire);
    expect(decoded(bytes(wire))).toBe(local);
  });

  it.each([
    ['a\rb', 'a\rb'],
    ['a\n', 'a\n'],
    ['a\r', 'a\r'],
    ['\r\r\n', '\r\n'],
    ['\r\r\r\0x', '\r\r\rx'],
  ])('forgives %j and reads it as %j', (wire, local) => {
    expect(decoded(bytes(wire))).toBe(local);
  });

  const text = fc
    .array(fc.constantFrom(0, 10, 13, 65, 255), { maxLength: 40 })
    .map((codes) => Uint8Array.from(codes));

  it('gives the same bytes back, cut at any two places', () => {
    fc.assert(
      fc.property(text, fc.nat(80), fc.nat(80), (local, a, b) => {
        const wire = encodeNetascii(local);
        const [first, second] = [Math.min(a, b), Math.max(a, b)];
        const parts = [wire.subarray(0, first), wire.subarray(first, second), wire.subarray(second)];
        expect(decoded(...parts)).toBe(textOf([local]));
      }),
    );
  });

  it('reads any bytes the same whole or byte by byte', () => {
    fc.assert(
      fc.property(text, (wire) => {
        expect(decoded(...Array.from(wire, (byte) => Uint8Array.of(byte)))).toBe(decoded(wire));
      }),
    );
  });
});
