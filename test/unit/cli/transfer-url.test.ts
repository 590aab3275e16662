import { describe, expect, it } from 'vitest';
import { parseTftpUrl } from '../../../src/cli/transfer-url.ts';

describe('parseTftpUrl', () => {
  it.each([
    ['tftp://192.0.2.1/f', { host: '192.0.2.1', port: 69, file: 'f', mode: undefined }],
    ['TFTP://host.example:6969/a/b', { host: 'host.example', port: 6969, file: 'a/b' }],
    ['tftp://[2001:db8::1]/f', { host: '2001:db8::1', port: 69, file: 'f' }],
    ['tftp://[fe80::1%25eth0]:70/f', { host: 'fe80::1%eth0', port: 70 }],
    ['tftp://h//etc/motd', { file: '/etc/motd' }],
    ['tftp://h/../x/./y', { file: '../x/./y' }],
    ['tftp://h/a?b#c', { file: 'a?b#c' }],
    ['tftp://h/%25%41%ff', { file: '%A\xff' }],
    ['tftp://h/ä', { file: '\xc3\xa4' }],
    ['tftp://h/f;mode=netascii', { file: 'f', mode: 'netascii' }],
    ['tftp://h/f;mode=OCTET', { file: 'f', mode: 'octet' }],
    ['tftp://h/f;mode=mail', { file: 'f;mode=mail', mode: undefined }],
  ])('reads %s', (text, parts) => {
    expect(parseTftpUrl(text)).toMatchObject(parts);
  });

  it.each([
    'http://h/f',
    'tftp://h',
    'tftp://h/',
    'tftp:///f',
    'tftp://h:/f',
    'tftp://h:0/f',
    'tftp://h:65536/f',
    'tftp://h:x/f',
    'tftp://user@h/f',
    'tftp://2001:db8::1/f',
    'tftp://[h]/f',
    'tftp://[::1/f',
    'tftp://h/%',
    'tftp://h/%0g',
    'tftp://h/%00',
    'tftp://h/;mode=octet',
    'f',
    '',
  ])('refuses "%s"', (text) => {
    expect(() => parseTftpUrl(text)).toThrow(expect.objectContaining({ name: 'CliError', exitCode: 2 }));
  });
});
