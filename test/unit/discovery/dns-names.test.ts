import { describe, expect, test } from 'vitest';
import { domainName, hostName } from '../../../src/discovery/dns-names.ts';

const long = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;

describe('domain names', () => {
  test.each([
    ['boot.test', 'boot.test'],
    ['Boot.TEST.', 'boot.test'],
    ['_tftp._udp.boot.test', '_tftp._udp.boot.test'],
    ['10-0-0-1.pods.test', '10-0-0-1.pods.test'],
    ['backends', 'backends'],
    [long, long],
  ])('%s is %s', (text, name) => {
    expect(domainName(text)).toBe(name);
  });

  test.each([
    '',
    '.',
    'a..b',
    '.a',
    'a..',
    '-a.test',
    'a-.test',
    'a b',
    'a\0b',
    'a\n',
    'boot\u{212a}.test',
    'b\u{f6}ot.test',
    `${'a'.repeat(64)}.test`,
    `${long}e`,
    '*.test',
    'a/b',
  ])('%j is none', (text) => {
    expect(domainName(text)).toBeUndefined();
  });
});

describe('host names', () => {
  test.each(['boot.test', '10-0-0-1', '1.boot', 'a1'])('%s may be one', (text) => {
    expect(hostName(text)).toBe(text);
  });

  test.each(['10.0.0.256', '127.1', '69', 'boot.1', 'a b'])('%s is none', (text) => {
    expect(hostName(text)).toBeUndefined();
  });
});
