import { describe, expect, test } from 'vitest';
import { type BackendSpec, DuplicateBackendError, nameSpecs } from '../../../src/discovery/backend-spec.ts';

function spec(host: string, port = 69, name?: string): BackendSpec {
  return { host, port, weight: 1, name };
}

describe('names', () => {
  test.each([
    { rule: 'the given one', specs: [spec('192.0.2.1', 69, 'rack-1')], names: ['rack-1'] },
    { rule: 'else the host', specs: [spec('a.test'), spec('192.0.2.1')], names: ['a.test', '192.0.2.1'] },
    {
      rule: 'else host and port, where several share the host',
      specs: [spec('127.0.0.1', 7001), spec('127.0.0.1', 7002), spec('::1', 7001), spec('::1', 7002)],
      names: ['127.0.0.1:7001', '127.0.0.1:7002', '[::1]:7001', '[::1]:7002'],
    },
    {
      rule: 'one that has a name leaves the host to the other',
      specs: [spec('127.0.0.1', 7001, 'one'), spec('127.0.0.1', 7002)],
      names: ['one', '127.0.0.1'],
    },
  ])('$rule', ({ specs, names }) => {
    expect(nameSpecs(specs).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    {
      rule: 'the same name given twice',
      specs: [spec('a.test', 69, 'x'), spec('b.test', 69, 'x')],
      name: 'x',
    },
    { rule: 'the same backend given twice', specs: [spec('a.test'), spec('a.test')], name: 'a.test:69' },
    {
      rule: 'a name that is the host of another',
      specs: [spec('a.test'), spec('b.test', 69, 'a.test')],
      name: 'a.test',
    },
  ])('$rule is refused', ({ specs, name }) => {
    expect(() => nameSpecs(specs)).toThrow(DuplicateBackendError);
    expect(() => nameSpecs(specs)).toThrow(`"${name}"`);
  });
});
