import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressWords } from '../../../src/engine/address-words.ts';
import { isInNetwork, type Network } from '../../../src/engine/network.ts';
import { NetworkSet } from '../../../src/engine/network-set.ts';

const words = new AddressWords();

function has(networks: readonly Network[], address: string): boolean {
  expect(words.read(address)).toBe(true);
  return new NetworkSet(networks).has(words);
}

/** Few enough values that networks lie within each other, and addresses within them. */
const ipv4 = fc.tuple(...[10, 10, 3, 255].map((max) => fc.nat(max))).map((octets) => octets.join('.'));
const groups = fc.constantFrom('0', '1', '8000', 'ffff');
const ipv6 = fc
  .array(groups, { minLength: 8, maxLength: 8 })
  .map((parts) => new URL(`http://[${parts.join(':')}]`).hostname.slice(1, -1));
const address = fc.oneof(ipv4, ipv6, fc.ipV4(), fc.ipV6());
const network = address.chain((text) =>
  fc.nat(text.includes(':') ? 128 : 32).map((prefix): Network => ({ address: text, prefix })),
);

describe('a set of networks', () => {
  it('has an address if one of the networks, looked through one by one, does', () => {
    fc.assert(
      fc.property(
        fc.array(network, { maxLength: 20 }),
        fc.array(address, { maxLength: 10 }),
        (all, asked) => {
          for (const one of [...asked, ...all.map((known) => known.address)]) {
            expect(has(all, one)).toBe(all.some((known) => isInNetwork(one, known)));
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    ['192.0.2.7', '0.0.0.0/0', true],
    ['192.0.2.7', '::/0', false],
    ['::1', '0.0.0.0/0', false],
    ['::ffff:192.0.2.7', '192.0.2.0/24', true],
    ['::ffff:c000:207', '192.0.2.0/24', true],
    ['fe80::1%eth0', 'fe80::/10', true],
    ['255.255.255.255', '255.255.255.255/32', true],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff::/16', true],
    ['10.1.2.4', '10.1.2.3/32', false],
  ])('%s in %s: %s', (one, text, expected) => {
    const [start = '', prefix] = text.split('/');
    expect(has([{ address: start, prefix: Number(prefix) }], one)).toBe(expected);
  });

  it('refuses a network that begins nowhere', () => {
    expect(() => new NetworkSet([{ address: 'nowhere', prefix: 8 }])).toThrow(RangeError);
  });
});

describe('an address in words', () => {
  it.each([
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1..2.3',
    '.1.2.3',
    '1.2.3.',
    '1.2.3.4x',
    '',
    ':',
    ':::',
    '1:2',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    ':1::',
    '1:2:3:4:5:6:7:',
    '::1.2.3',
    '1:2:3:4:5:6:7:1.2.3.4',
    'g::',
    '1:2:3:4:5:6:7::8',
  ])('%j is none', (text) => {
    expect(words.read(text)).toBe(false);
  });

  it('has the same words in every spelling', () => {
    const spellings = ['2001:db8::c000:201', '2001:DB8:0:0:0:0:192.0.2.1', '2001:0db8::192.0.2.1%eth0'];
    const read = spellings.map((text) => [words.read(text), words.words.join()]);
    expect(new Set(read.map(String)).size).toBe(1);
    expect([...words.words]).toEqual([0x2001_0db8, 0, 0, 0xc000_0201 | 0]);
  });

  it('hashes its leading bits, and by its seed', () => {
    const hashes = ['10.1.2.3', '10.1.2.4', '10.1.3.3'].map((text) => {
      words.read(text);
      return [words.hash(120, 1), words.hash(128, 1), words.hash(128, 2)];
    });
    expect(hashes[0]?.[0]).toBe(hashes[1]?.[0]);
    expect(new Set(hashes.flat()).size).toBe(8);
  });
});
