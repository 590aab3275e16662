import { isIP, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress, sameAddress } from '../../../src/ftp/addresses.ts';
import { words } from './streams.ts';

describe('a numeric address', () => {
  it.each([
    ['10.0.0.1', 4, '10.0.0.1'],
    ['255.255.255.255', 4, '255.255.255.255'],
    ['::', 6, '::'],
    ['::1', 6, '::1'],
    ['2001:DB8:0:0:0:0:0:1', 6, '2001:db8::1'],
    ['2001:0db8:0000:1::', 6, '2001:db8:0:1::'],
    ['64:ff9b::10.0.0.1', 6, '64:ff9b::a00:1'],
    ['::ffff:10.0.0.1', 4, '10.0.0.1'],
    ['::FFFF:0a00:0001', 4, '10.0.0.1'],
    ['0:0:0:0:0:ffff:1.2.3.4', 4, '1.2.3.4'],
    ['::ffff:0.0.0.5', 4, '0.0.0.5'],
  ])('%s', (text, family, address) => {
    expect(parseAddress(text)).toEqual({ family, address });
  });

  const broken = words(`
    1 1.2.3 1.2.3.4.5 1.2.3.256 01.2.3.4 1.2.3.-4 0x7f.0.0.1 1.2.3. 1e1.2.3.4
    : ::: 1:2:3:4:5:6:7 1:2:3:4:5:6:7:8:9 ::12345 ::g 1::2::3 ::1.2.3 ::1.2.3.256 ::ffff:01.2.3.4
    fe80::1%eth0 [::1] ::1]/x ::1@::2 localhost ٣.1.1.1
  `);
  it.each([...broken, '', '1.2.3.4 ', ' 1.2.3.4', '1.2.3.4\n', '::1\n', `::${'0'.repeat(100)}1`])(
    'is not %j',
    (text) => {
      expect(parseAddress(text)).toBeUndefined();
    },
  );

  it('is the one that the system writes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const own = parseAddress(text)?.address ?? '';
        const system = new SocketAddress({ address: text, family: isIP(text) === 4 ? 'ipv4' : 'ipv6' })
          .address;
        expect(isIP(own)).not.toBe(0);
        expect(sameAddress(system, own)).toBe(true);
      }),
    );
  });

  it('is an address to the system too', () => {
    const unit = fc.constantFrom(...'0123456789abcdef:.%[]/@'.split(''));
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit, maxLength: 20 })), (text) => {
        if (parseAddress(text) !== undefined) expect(isIP(text)).not.toBe(0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('the same address', () => {
  it.each([
    ['10.0.0.1', '::ffff:10.0.0.1', true],
    ['::ffff:a00:1', '::FFFF:10.0.0.1', true],
    ['fe80::1%eth0', 'fe80::1', true],
    ['fe80::1%eth0', 'fe80:0::1%eth1', true],
    ['10.0.0.1', '10.0.0.2', false],
    ['::1', '127.0.0.1', false],
    ['::10.0.0.1', '10.0.0.1', false],
    ['here', 'here', false],
    ['', '', false],
  ])('%j and %j: %s', (a, b, isSame) => {
    expect(sameAddress(a, b)).toBe(isSame);
    expect(sameAddress(b, a)).toBe(isSame);
  });
});
