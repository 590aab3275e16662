import { describe, expect, it } from 'vitest';
import {
  covers,
  formatHostPort,
  isLoopback,
  parseAddress,
  parseHostPort,
  parseInteger,
  parseListener,
} from '../../../src/config/address.ts';

describe('parseAddress', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['::', '::'],
    ['2001:DB8:0:0::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1%eth0'],
  ])('gives the canonical text of %s', (text, canonical) => {
    expect(parseAddress(text)).toBe(canonical);
  });

  it.each([
    '',
    'localhost',
    '192.0.2',
    '192.0.2.256',
    '192.0.2.01',
    '[::1]',
    '::ffff:192.0.2.1',
    '192.0.2.1 ',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe('parseInteger', () => {
  it('keeps to plain decimal within the bounds', () => {
    expect(parseInteger('69', 1, 65535)).toBe(69);
    for (const text of ['', '0', '65536', '069', '+69', '6.9', '0x45', '6e1', ' 69']) {
      expect(parseInteger(text, 1, 65535), text).toBeUndefined();
    }
  });
});

describe('parseListener', () => {
  it.each([
    ['127.0.0.1:9069', '127.0.0.1', 9069],
    ['[::1]:9069', '::1', 9069],
    ['0.0.0.0:0', '0.0.0.0', 0],
  ])('reads %s', (text, address, port) => {
    expect(parseListener(text)).toEqual({ address, port });
  });

  it.each([
    '',
    ':9069',
    '127.0.0.1',
    '127.0.0.1:',
    '::1:9069',
    '[127.0.0.1]:9069',
    'localhost:9069',
    '[::1]',
    '[::1]:65536',
  ])('refuses %j', (text) => {
    expect(parseListener(text)).toBeUndefined();
  });
});

describe('parseHostPort', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', undefined],
    ['192.0.2.1:6969', '192.0.2.1', 6969],
    ['2001:DB8::1', '2001:db8::1', undefined],
    ['[2001:db8::1]', '2001:db8::1', undefined],
    ['[2001:db8::1]:6969', '2001:db8::1', 6969],
    ['Files.Example', 'files.example', undefined],
    ['files.example.:69', 'files.example', 69],
    ['tftp_1', 'tftp_1', undefined],
  ])('reads %s', (text, host, port) => {
    expect(parseHostPort(text)).toEqual({ host, port });
  });

  it.each([
    '',
    ':69',
    'a:',
    'a:0',
    'a:65536',
    'a:b',
    'a b',
    '-a',
    'a-',
    'a..b',
    '192.0.2.256',
    '192.0.2',
    '1234',
    '[192.0.2.1]:69',
    '[a]:69',
    '::ffff:192.0.2.1',
    `${'a'.repeat(64)}.example`,
    `${'a.'.repeat(130)}example`,
  ])('refuses %j', (text) => {
    expect(parseHostPort(text)).toBeUndefined();
  });

  it('is what formatHostPort undoes', () => {
    expect(formatHostPort('192.0.2.1', 69)).toBe('192.0.2.1:69');
    expect(parseHostPort(formatHostPort('2001:db8::1', 69))).toEqual({ host: '2001:db8::1', port: 69 });
  });
});

describe('covers', () => {
  it('lets an unspecified address stand for its own family alone', () => {
    expect(covers('0.0.0.0', '192.0.2.1')).toBe(true);
    expect(covers('0.0.0.0', '::1')).toBe(false);
    expect(covers('::', '::1')).toBe(true);
    expect(covers('::', '192.0.2.1')).toBe(false);
    expect(covers('192.0.2.1', '192.0.2.1')).toBe(true);
    expect(covers('192.0.2.1', '192.0.2.2')).toBe(false);
  });
});

describe('isLoopback', () => {
  it('knows both families', () => {
    expect(['127.0.0.1', '127.9.9.9', '::1'].every(isLoopback)).toBe(true);
    expect(['0.0.0.0', '::', '128.0.0.1', '127.example'].some(isLoopback)).toBe(false);
  });
});
