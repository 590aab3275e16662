import { describe, expect, it } from 'vitest';
import { parseBackend } from '../../../src/config/backend.ts';

describe('parseBackend', () => {
  it.each([
    ['192.0.2.1', { name: '192.0.2.1', host: '192.0.2.1', port: undefined, weight: 1 }],
    ['192.0.2.1:6969', { name: '192.0.2.1:6969', host: '192.0.2.1', port: 6969, weight: 1 }],
    ['[2001:db8::1]:70', { name: '[2001:db8::1]:70', host: '2001:db8::1', port: 70, weight: 1 }],
    ['a,weight=256', { name: 'a', host: 'a', port: undefined, weight: 256 }],
    ['a,name=x_1.b-c,weight=2', { name: 'x_1.b-c', host: 'a', port: undefined, weight: 2 }],
  ])('reads %s', (text, spec) => {
    expect(parseBackend(text)).toEqual(spec);
  });

  it.each([
    ['', 'HOST[:PORT]'],
    ['0.0.0.0', 'HOST[:PORT]'],
    [':::69', 'HOST[:PORT]'],
    ['::', 'HOST[:PORT]'],
    ['a:70000', 'HOST[:PORT]'],
    ['a,weight=0', 'from 1 to 256'],
    ['a,weight=257', 'from 1 to 256'],
    ['a,weight=1.5', 'from 1 to 256'],
    ['a,weight', 'a value behind weight='],
    ['a,weight=1,weight=2', 'weight stands twice'],
    ['a,wieght=2', 'did you mean weight?'],
    ['a,', 'not ""'],
    ['a,name=', '1 to 63 letters'],
    ['a,name=b"c', '1 to 63 letters'],
    ['a,name=b c', '1 to 63 letters'],
    ['a,name=é', '1 to 63 letters'],
    [`a,name=${'b'.repeat(64)}`, '1 to 63 letters'],
  ])('says what is wrong with %j', (text, hint) => {
    expect(parseBackend(text)).toContain(hint);
  });
});
