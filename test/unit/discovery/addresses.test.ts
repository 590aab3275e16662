import { describe, expect, test } from 'vitest';
import { addressesOfOneFamily, numericAddress } from '../../../src/discovery/addresses.ts';

describe('numeric addresses', () => {
  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:DB8:0::0001', '2001:db8::1'],
    ['::', '::'],
    ['fe80::0:1%eth0', 'fe80::1%eth0'],
    ['boot.test', undefined],
    ['127.1', undefined],
    ['192.0.2.256', undefined],
    ['[::1]', undefined],
    ['', undefined],
  ])('%s is spelled %s', (host, spelled) => {
    expect(numericAddress(host)).toBe(spelled);
  });
});

describe('the addresses of a name', () => {
  test.each([
    { resolved: ['192.0.2.2', '192.0.2.1'], chosen: ['192.0.2.1', '192.0.2.2'] },
    { resolved: ['2001:db8::1', '192.0.2.1', '2001:db8::2'], chosen: ['192.0.2.1'] },
    { resolved: ['2001:db8::2', '2001:db8::1'], chosen: ['2001:db8::1', '2001:db8::2'] },
    { resolved: ['192.0.2.1', '192.0.2.1'], chosen: ['192.0.2.1'] },
  ])('$resolved gives $chosen', ({ resolved, chosen }) => {
    expect(addressesOfOneFamily(resolved)).toEqual(chosen);
  });
});
