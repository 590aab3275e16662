import type { Answer } from 'dns-packet';
import { describe, expect, test } from 'vitest';
import { DnsError } from '../../../src/discovery/dns-error.ts';
import type { Reply } from '../../../src/discovery/dns-message.ts';
import {
  ipv4Records,
  ipv6Records,
  recordsIn,
  type ServiceRecord,
  serviceRecords,
} from '../../../src/discovery/dns-records.ts';
import { a, aaaa, cname, srv } from '../../helpers/dns-server.ts';

const name = 'boot.test';

function replyWith(answers: readonly Answer[]): Reply {
  return { rcode: 0, isTruncated: false, isCompetent: true, answers };
}

describe('addresses', () => {
  test('of the name that was asked for count, in whatever case, and no others', () => {
    const answers = [a('BOOT.test', '192.0.2.1'), a('else.test', '192.0.2.2'), aaaa(name, '2001:db8::1')];
    expect(recordsIn(replyWith(answers), name, ipv4Records)).toEqual({
      records: ['192.0.2.1'],
      ttl: 60,
      name,
      aliases: 0,
    });
    expect(recordsIn(replyWith(answers), name, ipv6Records).records).toEqual(['2001:db8::1']);
  });

  test('of another class do not count', () => {
    const answers: Answer[] = [{ ...a(name, '192.0.2.1'), class: 'CH' } as Answer];
    expect(recordsIn(replyWith(answers), name, ipv4Records).records).toEqual([]);
  });

  test.each(['0.0.0.0', '224.0.0.1', '255.255.255.255', 'undefined.undefined.undefined.undefined'])(
    '%s can be no server: nothing of such a reply is used',
    (address) => {
      const answers = [a(name, '192.0.2.1'), a(name, address)];
      expect(() => recordsIn(replyWith(answers), name, ipv4Records)).toThrow(DnsError);
    },
  );

  test.each(['::', 'fe80::1', 'ff02::1', '::ffff:192.0.2.1'])(
    '%s can be no server: nothing of such a reply is used',
    (address) => {
      expect(() => recordsIn(replyWith([aaaa(name, address)]), name, ipv6Records)).toThrow(
        'boot.test has an AAAA record that cannot be used',
      );
    },
  );

  test('are too many beyond a thousand', () => {
    const many = Array.from({ length: 1_025 }, (_, at) => a(name, `192.0.${at >> 8}.${at & 255}`));
    expect(recordsIn(replyWith(many.slice(1)), name, ipv4Records).records).toHaveLength(1_024);
    expect(() => recordsIn(replyWith(many), name, ipv4Records)).toThrow('more than 1024 A records');
  });
});

describe('times to live', () => {
  test.each([
    ['the shortest', [a(name, '192.0.2.1', 9), a(name, '192.0.2.2', 5)], 5],
    ['that of the alias, too', [cname(name, 'x.test', 3), a('x.test', '192.0.2.1', 9)], 3],
    ['nothing, where it is absurd', [a(name, '192.0.2.1', 2 ** 31)], 0],
    ['the largest that there is', [a(name, '192.0.2.1', 2 ** 31 - 1)], 2 ** 31 - 1],
    ['forever, where there is nothing', [], Infinity],
  ])('is %s', (_, answers, ttl) => {
    expect(recordsIn(replyWith(answers), name, ipv4Records).ttl).toBe(ttl);
  });
});

describe('aliases', () => {
  test('are followed in whatever order they come', () => {
    const answers = [a('z.test', '192.0.2.1'), cname('y.test', 'z.test'), cname(name, 'y.test')];
    expect(recordsIn(replyWith(answers), name, ipv4Records)).toMatchObject({
      records: ['192.0.2.1'],
      name: 'z.test',
      aliases: 2,
    });
  });

  test.each([
    [8, 'found'],
    [9, 'refused'],
  ])('%i in a row are %s', (count, outcome) => {
    const chain = Array.from({ length: count }, (_, at) => cname(`${at}.test`, `${at + 1}.test`));
    const look = (): readonly string[] =>
      recordsIn(replyWith([...chain, a(`${count}.test`, '192.0.2.1')]), '0.test', ipv4Records).records;
    if (outcome === 'found') expect(look()).toEqual(['192.0.2.1']);
    else expect(look).toThrow('0.test has more than 8 aliases');
  });

  test('of what is no name are refused', () => {
    expect(() => recordsIn(replyWith([cname(name, 'a b')]), name, ipv4Records)).toThrow(DnsError);
  });
});

function read(answer: Answer): readonly ServiceRecord[] {
  return recordsIn(replyWith([answer]), name, serviceRecords).records;
}

describe('services', () => {
  test('have a target in one spelling', () => {
    expect(read(srv(name, 'A.Test:69', { priority: 1, weight: 2 }))).toEqual([
      { priority: 1, weight: 2, port: 69, target: 'a.test' },
    ]);
  });

  test('may say that there is none', () => {
    expect(read(srv(name, '.:0'))).toEqual([{ priority: 0, weight: 0, port: 0, target: '' }]);
  });

  test.each(['a.test:0', 'a b:69', '..:69'])('at %s cannot be used', (place) => {
    expect(() => read(srv(name, place))).toThrow('boot.test has an SRV record that cannot be used');
  });
});
