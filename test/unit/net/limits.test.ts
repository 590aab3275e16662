import { describe, expect, it } from 'vitest';
import {
  parseDescriptorLimit,
  parsePortList,
  parsePortRange,
  readSystemLimits,
} from '../../../src/net/limits.ts';

const limitsTable = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units     
Max processes             96365                96365                processes 
Max open files            ${soft}                524288               files     
Max locked memory         8388608              8388608              bytes     
`;

describe('limits', () => {
  it('reads the soft limit of descriptors', () => {
    expect(parseDescriptorLimit(limitsTable('1024'))).toBe(1024);
    expect(parseDescriptorLimit(limitsTable('unlimited'))).toBe(Infinity);
    expect(parseDescriptorLimit('')).toBeUndefined();
    expect(parseDescriptorLimit('Max open files\n')).toBeUndefined();
  });

  it('reads the range of ephemeral ports', () => {
    expect(parsePortRange('32768\t60999\n')).toEqual({ first: 32_768, last: 60_999 });
    for (const text of ['', '32768', '5 4', '0 5', '1 70000', 'a b']) {
      expect(parsePortRange(text)).toBeUndefined();
    }
  });

  it('reads reserved ports', () => {
    expect(parsePortList('8080,9148-9150\n')).toEqual([
      { first: 8080, last: 8080 },
      { first: 9148, last: 9150 },
    ]);
    expect(parsePortList('\n')).toEqual([]);
  });

  it('finds numbers for this system', () => {
    const { descriptors = 1, ephemeralPorts, reservedPorts } = readSystemLimits();
    expect(descriptors).toBeGreaterThan(0);
    expect(ephemeralPorts.last).toBeGreaterThanOrEqual(ephemeralPorts.first);
    expect(reservedPorts).toBeInstanceOf(Array);
  });
});
