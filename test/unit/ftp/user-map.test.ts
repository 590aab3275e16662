import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { maxMapBytes, maxMappedUsers, parseUserMap, UserMapError } from '../../../src/ftp/user-map.ts';

function users(count: number): string {
  return Array.from({ length: count }, (_, n) => `user-${n}: b`).join('\n');
}

describe('a user map', () => {
  it('has a backend for each user', () => {
    const text = `\uFEFF# who is where

alice: web-1
  # indented
bob smith :  web 2   # a comment
dave: web 6 \t
a:b@example.com: 10.0.0.1:2121\r
c#: web#3
'it''s: me': "web: 4"
"": web-5
"#6": '#'
`;
    expect([...parseUserMap(text)]).toEqual([
      ['alice', 'web-1'],
      ['bob smith', 'web 2'],
      ['dave', 'web 6'],
      ['a:b@example.com', '10.0.0.1:2121'],
      ['c#', 'web#3'],
      ["it's: me", 'web: 4'],
      ['', 'web-5'],
      ['#6', '#'],
    ]);
  });

  it('has users as they come over the wire: one character a byte', () => {
    const wire = Buffer.from('jürgen', 'utf8').toString('latin1');
    expect(parseUserMap('jürgen: späti').get(wire)).toBe('späti');
  });

  it('has subjects of certificates, as they are and as YAML has them', () => {
    const text = String.raw`CN=alice,O=Example: web-1
CN=Doe\, Jane,OU=R & D + ops,O=Example: web-2
CN=a#b\=c\"d,O=10.0.0.1:21: web-3
'CN=odd: name,O=it''s': web-4
UID=jürgen,DC=example,DC=org: web-5
`;
    const subjects = [
      'CN=alice,O=Example',
      'CN=Doe\\, Jane,OU=R & D + ops,O=Example',
      'CN=a#b\\=c\\"d,O=10.0.0.1:21',
      "CN=odd: name,O=it's",
      'UID=jürgen,DC=example,DC=org',
    ];
    const wire = subjects.map((subject) => Buffer.from(subject, 'utf8').toString('latin1'));
    expect([...parseUserMap(text).keys()]).toEqual(wire);
    expect(Object.keys(parse(text) as object)).toEqual(subjects);
  });

  it('may be empty', () => {
    expect(parseUserMap('').size).toBe(0);
  });

  it.each([
    ['alice', 1],
    ['alice:', 1],
    ['alice: ', 1],
    ['alice: # nobody', 1],
    ['alice:web-1', 1],
    [': web-1', 1],
    ['a: b: c', 1],
    ['a: b\nb: c\n  c: d', 3],
    ['- a: b', 1],
    ['a: [b]', 1],
    ['a: *b', 1],
    ['a: "b\\n"', 1],
    ["a: 'b", 1],
    ["'a' x: b", 1],
    [`a: b\n${'a '.repeat(1_000_000)}: b`, 2],
    ['---', 1],
    ['a: b\n\na: c', 3],
  ])('is not %j', (text, line) => {
    expect(() => parseUserMap(text)).toThrow(UserMapError);
    expect(() => parseUserMap(text)).toThrow(`line ${line}: `);
  });

  it('is bounded', () => {
    expect(parseUserMap(users(maxMappedUsers)).size).toBe(maxMappedUsers);
    expect(() => parseUserMap(users(maxMappedUsers + 1))).toThrow(`line ${maxMappedUsers + 1}: more than`);
    expect(() => parseUserMap('#'.repeat(maxMapBytes + 1))).toThrow('bytes');
  });

  it('finds every user that is written in quotes', () => {
    const name = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text));
    fc.assert(
      fc.property(fc.uniqueArray(name), (users) => {
        const text = users.map((user) => `'${user.replaceAll("'", "''")}': b\n`).join('');
        const wire = users.map((user) => Buffer.from(user, 'utf8').toString('latin1'));
        expect([...parseUserMap(text).keys()]).toEqual(wire);
      }),
    );
  });

  it('of any text is a map or a UserMapError', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          parseUserMap(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UserMapError);
        }
      }),
    );
  });
});
