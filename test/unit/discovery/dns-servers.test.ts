import { describe, expect, test } from 'vitest';
import { serversOf, systemServers } from '../../../src/discovery/dns-servers.ts';
import { FileError } from '../../../src/discovery/files.ts';

const local = [{ address: '127.0.0.1', port: 53 }];

describe('the servers of the system', () => {
  test.each<[string, string, string[]]>([
    ['in their order', 'nameserver 10.0.0.2\nnameserver 10.0.0.1\n', ['10.0.0.2', '10.0.0.1']],
    [
      'with IPv6 and zones',
      'nameserver 2001:DB8::0:1\nnameserver fe80::1%eth0',
      ['2001:db8::1', 'fe80::1%eth0'],
    ],
    [
      'among other lines',
      '# nameserver 10.0.0.9\n;x\nsearch a.test\n\tnameserver\t10.0.0.1 # home\noptions ndots:5\r\n',
      ['10.0.0.1'],
    ],
    [
      'three of them',
      ['1', '2', '3', '4'].map((n) => `nameserver 10.0.0.${n}`).join('\n'),
      ['10.0.0.1', '10.0.0.2', '10.0.0.3'],
    ],
    ['but no names', 'nameserver dns.test\nnameserver 10.0.0.1', ['10.0.0.1']],
  ])('are read %s', (_, text, addresses) => {
    expect(serversOf(text)).toEqual(addresses.map((address) => ({ address, port: 53 })));
  });

  test.each(['', 'search a.test\n', 'nameserver\n'])('are its own if the file has none: %j', (text) => {
    expect(serversOf(text)).toEqual(local);
  });

  test('are its own if there is no file', async () => {
    expect(await systemServers({ read: () => Promise.reject(new FileError('there is none')) })).toEqual(
      local,
    );
  });

  test('are looked for in /etc/resolv.conf', async () => {
    const asked: string[] = [];
    const read = async (path: string): Promise<string> => {
      asked.push(path);
      return 'nameserver 10.0.0.1';
    };
    expect(await systemServers({ read })).toEqual([{ address: '10.0.0.1', port: 53 }]);
    expect(asked).toEqual(['/etc/resolv.conf']);
  });
});
