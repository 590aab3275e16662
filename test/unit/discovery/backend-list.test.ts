import { describe, expect, test } from 'vitest';
import { BackendListError, parseBackendList } from '../../../src/discovery/backend-list.ts';
import { parseYaml, YamlError } from '../../../src/discovery/bounded-yaml.ts';

function parse(text: string): string[] {
  const specs = parseBackendList(text, { source: 'list.yaml', port: 69 });
  return specs.map(({ host, port, weight, name }) => `${name ?? '-'} = ${host} ${port} *${weight}`);
}

describe('a list', () => {
  test('may be YAML', () => {
    const text =
      '# servers\n- 192.0.2.1\n- boot2.test:6969\n- host: 192.0.2.3\n  port: 70\n  weight: 5\n  name: rack-3\n';
    expect(parse(text)).toEqual([
      '- = 192.0.2.1 69 *1',
      '- = boot2.test 6969 *1',
      'rack-3 = 192.0.2.3 70 *5',
    ]);
  });

  test('may be JSON', () => {
    const entries = ['192.0.2.1', { host: 'boot2.test', port: 6969 }, { host: '2001:db8::1', name: 'six' }];
    for (const text of [JSON.stringify(entries), JSON.stringify(entries, undefined, 2)]) {
      expect(parse(text)).toEqual([
        '- = 192.0.2.1 69 *1',
        '- = boot2.test 6969 *1',
        'six = 2001:db8::1 69 *1',
      ]);
    }
  });

  test('may be empty', () => {
    expect(parse('[]')).toEqual([]);
  });

  test('may have a thousand entries', () => {
    const entry = '- {host: 192.0.2.1, port: 69, weight: 5, name: server-with-a-long-name}\n';
    expect(parse(entry.repeat(1_024))).toHaveLength(1_024);
    expect(() => parse(entry.repeat(1_026))).toThrow('more than 1024 entries');
  });
});

describe('an entry', () => {
  test.each([
    ['192.0.2.1', '- = 192.0.2.1 69 *1'],
    ['192.0.2.1:70', '- = 192.0.2.1 70 *1'],
    ['2001:db8::1', '- = 2001:db8::1 69 *1'],
    ['"[2001:db8::1]:70"', '- = 2001:db8::1 70 *1'],
    ['"[2001:db8::1]"', '- = 2001:db8::1 69 *1'],
    ['fe80::1%eth0', '- = fe80::1%eth0 69 *1'],
    ['Boot.Test:70', '- = Boot.Test 70 *1'],
    ['"a.test:70,weight=5,name=rack"', 'rack = a.test 70 *5'],
    ['2001:db8::1,name=six', 'six = 2001:db8::1 69 *1'],
    ['{host: a.test, weight: 256}', '- = a.test 69 *256'],
  ])('%s is taken', (text, backend) => {
    expect(parse(`- ${text}`)).toEqual([backend]);
  });

  test.each([
    ['', 'expected HOST'],
    ['7', 'expected HOST'],
    ['[a.test]', 'expected HOST'],
    ['"a.test:"', 'expected HOST'],
    ['a.test:70:71', 'expected HOST'],
    ['a.test:123456', 'expected a port'],
    ['a.test:069', 'expected a port'],
    ['a.test,weight=0x10', 'expected a weight'],
    ['a.test,weight=', 'expected a weight'],
    ['a.test,weight=1,weight=2', 'weight stands twice'],
    ['a.test,port=70', 'expected weight=N or name=X behind a comma, not "port=70"'],
    ['a.test,', 'expected weight=N'],
    ['a.test,name=a/b', 'expected a name'],
    ['""', 'expected HOST'],
    ['a.test:0', 'expected a port from 1 to 65535'],
    ['a.test:65536', 'expected a port'],
    ['"[a.test]:69"', 'expected a host'],
    ['192.0.2.256', 'expected a host'],
    ['0.0.0.0', 'expected a host'],
    ['"::"', 'expected a host'],
    ['fe80::1', 'expected a host'],
    ['a b', 'expected a host'],
    ['{port: 69}', 'expected a host'],
    ['{host: 10.1}', 'expected a host'],
    ['{host: a.test, port: "69"}', 'expected a port'],
    ['{host: a.test, port: 69.5}', 'expected a port'],
    ['{host: a.test, port: ~}', 'expected a port'],
    ['{host: a.test, weight: 0}', 'expected a weight from 1 to 256'],
    ['{host: a.test, weight: 257}', 'expected a weight'],
    ['{host: a.test, name: ""}', 'expected a name'],
    ['{host: a.test, name: a/b}', 'expected a name'],
    ['{host: a.test, name: 7}', 'expected a name'],
    ['{host: a.test, wieght: 2}', 'unknown field "wieght"'],
    ['{host: a.test, __proto__: {port: 1}}', 'unknown field "__proto__"'],
    ['!!binary aGk=', 'unknown field'],
    ['{host: &a a.test, name: *a}', 'expected HOST'],
  ])('%s is refused', (text, problem) => {
    expect(() => parse(`- 192.0.2.1\n- ${text}\n`)).toThrow(BackendListError);
    expect(() => parse(`- 192.0.2.1\n- ${text}\n`)).toThrow(`list.yaml: line 2: ${problem}`);
  });

  test('that is wrong does not hide the others', () => {
    const text = '- 192.0.2.256\n- a.test\n- b c\n';
    expect(() => parse(text)).toThrow(/list\.yaml: line 1: expected.*; line 3: expected/);
    expect(() => parse('- 192.0.2.256\n'.repeat(20))).toThrow(/(line \d+: [^;]+; ){5}15 more$/);
  });
});

describe('what is no list', () => {
  test.each([
    ['', 'expected a list of backends'],
    ['# nothing\n', 'expected a list of backends'],
    ['a.test', 'expected a list of backends'],
    ['backends: [a.test]', 'expected a list of backends'],
    ['null', 'expected a list of backends'],
    ['["a.test"', 'line 1, column 10'],
    ['- a.test\n- {host: b.test\n- c.test\n', 'line 3'],
    ['- {host: a, host: b}', 'Map keys must be unique'],
    ['- a.test\n---\n- b.test\n', 'expected one document'],
    ['<html>404</html>', 'expected a list of backends'],
  ])('is refused: %j', (text, problem) => {
    expect(() => parse(text)).toThrow(BackendListError);
    expect(() => parse(text)).toThrow(problem);
  });
});

describe('YAML that costs more than it should', () => {
  test.each([
    ['lists in lists in one line', '['.repeat(100_000)],
    ['maps in maps', '{a: '.repeat(30_000)],
    ['lists in lists in a block', '- '.repeat(60_000)],
    ['keys that are keys', '? '.repeat(60_000)],
    [
      'lists in lists over many lines',
      Array.from({ length: 400 }, (_, at) => `${' '.repeat(at)}-\n`).join(''),
    ],
    ['a map with very many keys', Array.from({ length: 12_000 }, (_, at) => `k${at}: 1`).join('\n')],
    ['very many documents', '---\n'.repeat(30_000)],
  ])('is refused before it is built: %s', (_, text) => {
    expect(() => parseYaml(text, 1_024)).toThrow(YamlError);
  });

  test('is refused where a few lines stand for a huge value', () => {
    const lines = Array.from({ length: 9 }, (_, at) => `- &a${at + 1} [${`*a${at},`.repeat(9)}]`);
    expect(() => parse(['- &a0 x', ...lines].join('\n'))).toThrow('line 2: expected HOST');
  });
});
