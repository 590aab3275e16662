import fc from 'fast-check';
import { isIPv4 } from 'node:net';
import { describe, expect, it } from 'vitest';
import { decodeName, encodeName } from '../../../src/linux/name-codec.ts';
import { isElsewhere, libcHere } from './kernel.ts';

const port = fc.integer({ min: 0, max: 0xffff });

function hex(address: string, port: number): string {
  return Buffer.from(encodeName(libcHere(), { address, port })).toString('hex');
}

describe.skipIf(isElsewhere)('socket names', () => {
  it('have the bytes that the kernel expects', () => {
    expect(hex('192.0.2.33', 0x1234)).toBe('02001234c00002210000000000000000');
    expect(hex('2001:db8::1', 69)).toBe('0a0000450000000020010db800000000000000000000000100000000');
  });

  it('come back as they went, in the shortest form', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), port, (address, port) => {
        const name = encodeName(libcHere(), { address, port });
        const decoded = decodeName(libcHere(), name);
        expect(decoded.port).toBe(port);
        expect(encodeName(libcHere(), decoded)).toEqual(name);
        if (isIPv4(address)) expect(decoded.address).toBe(address);
        else expect(decoded.address).toBe(decoded.address.toLowerCase());
      }),
    );
  });

  it.each([
    ['2001:DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['::FFFF:192.0.2.1', '::ffff:192.0.2.1'],
    ['fe80::1%lo', 'fe80::1%lo'],
    ['fe80::1%1', 'fe80::1%lo'],
    ['fe80::1%999999999', 'fe80::1%999999999'],
  ])('write %s as %s', (address, written) => {
    const name = encodeName(libcHere(), { address, port: 1 });
    expect(decodeName(libcHere(), name)).toEqual({ address: written, port: 1 });
  });

  it.each([
    '',
    'localhost',
    '1.2.3',
    '256.1.1.1',
    '01.2.3.4',
    ':::',
    '1::2::3',
    '[::1]',
    'fe80::1%none-such',
    'fe80::1%0',
  ])('are not made of "%s"', (address) => {
    expect(() => encodeName(libcHere(), { address, port: 1 })).toThrow(TypeError);
  });

  it.each([-1, 65_536, 1.5, Number.NaN])('have no port %d', (port) => {
    expect(() => encodeName(libcHere(), { address: '127.0.0.1', port })).toThrow(RangeError);
  });

  it('are not read from too few bytes, or from those of another family', () => {
    fc.assert(
      fc.property(fc.constantFrom('192.0.2.1', '2001:db8::1'), fc.nat(27), (address, length) => {
        const name = encodeName(libcHere(), { address, port: 1 });
        fc.pre(length < name.byteLength);
        expect(() => decodeName(libcHere(), name.subarray(0, length))).toThrow(/no socket address/u);
      }),
    );
    expect(() => decodeName(libcHere(), Uint8Array.of(1, ...new Uint8Array(27)))).toThrow(RangeError);
  });
});
