import { describe, expect, it } from 'vitest';
import { isInNetwork } from '../../../src/engine/network.ts';

function network(text: string): { address: string; prefix: number } {
  const [address = '', prefix] = text.split('/');
  return { address, prefix: Number(prefix) };
}

describe('an address is in a network', () => {
  it.each([
    ['192.0.2.7', '192.0.2.0/24', true],
    ['192.0.3.7', '192.0.2.0/24', false],
    ['192.0.2.128', '192.0.2.0/25', false],
    ['192.0.2.127', '192.0.2.0/25', true],
    ['192.0.2.7', '192.0.2.7/32', true],
    ['192.0.2.6', '192.0.2.7/32', false],
    ['203.0.113.1', '0.0.0.0/0', true],
    ['10.255.0.1', '10.1.2.3/8', true],
    ['2001:db8::1', '2001:db8::/32', true],
    ['2001:db9::1', '2001:db8::/32', false],
    ['2001:db8:8000::', '2001:db8::/33', false],
    ['2001:db8:7fff:ffff::1', '2001:db8::/33', true],
    ['::1', '::/0', true],
    ['::1', '::1/128', true],
    ['::2', '::1/128', false],
    ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:0/124', true],
    ['1:2:3:4:5:6:7:18', '1:2:3:4:5:6:7:0/124', false],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['::ffff:192.0.2.7', '192.0.2.0/24', true],
  ])('%s in %s: %s', (address, text, expected) => {
    expect(isInNetwork(address, network(text))).toBe(expected);
  });

  it.each([
    ['192.0.2.7', '::/0'],
    ['2001:db8::1', '0.0.0.0/0'],
    ['somewhere', '0.0.0.0/0'],
    ['192.0.2.7', 'nowhere/0'],
  ])('never where families differ or one is no address: %s, %s', (address, text) => {
    expect(isInNetwork(address, network(text))).toBe(false);
  });
});
