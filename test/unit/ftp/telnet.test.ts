import { describe, expect, it } from 'vitest';
import { stripTelnet } from '../../../src/ftp/telnet.ts';
import { linesOf } from './streams.ts';

describe('Telnet commands in front of a line', () => {
  const cases: readonly [string, string, string, boolean][] = [
    ['nothing', 'ABOR', 'ABOR', false],
    ['IAC IP IAC DM', '\xff\xf4\xff\xf2ABOR', 'ABOR', true],
    ['an interrupt whose last IAC was lost', '\xff\xf4\xf2ABOR', 'ABOR', true],
    ['an interrupt whose DM was lost', '\xff\xf4\xffABOR', 'ABOR', true],
    ['DM alone', '\xf2ABOR', 'ABOR', true],
    ['two lost bytes', '\xff\xffABOR', 'ABOR', true],
    ['several interrupts', '\xff\xf4\xff\xf2\xff\xf4\xff\xf2STAT', 'STAT', true],
    ['an interrupt and nothing else', '\xff\xf4\xff\xf2', '', true],
    ['WILL', '\xff\xfb\x01USER a', 'USER a', false],
    ['WONT', '\xff\xfc\x01USER a', 'USER a', false],
    ['DO, of an option that is NUL', '\xff\xfd\0USER a', 'USER a', false],
    ['DONT, of an option that is IAC', '\xff\xfe\xffUSER a', 'USER a', false],
    ['a negotiation that breaks off', '\xff\xfb', '', false],
    ['a negotiation and an interrupt', '\xff\xfd\x03\xff\xf4\xff\xf2ABOR', 'ABOR', true],
    ['an interrupt and a negotiation', '\xff\xf4\xff\xf2\xff\xfd\x03ABOR', 'ABOR', true],
    ['other commands', '\xff\xf1NOOP', '\xf1NOOP', true],
  ];
  it.each(cases)('%s', (_, line, text, interrupted) => {
    expect(stripTelnet(line)).toEqual({ text, interrupted });
    expect(linesOf('client', [`${line}\r\n`])).toEqual([{ kind: 'line', text, interrupted }]);
  });

  it('may fill a line to its cap', () => {
    const front = '\xff\xf4'.repeat(2_000);
    expect(linesOf('client', [`${front}ABOR\r\n`])).toEqual([
      { kind: 'line', text: 'ABOR', interrupted: true },
    ]);
  });

  it('never take the end of the line along', () => {
    expect(linesOf('client', ['\xff\xfb\nNOOP\r\n'])).toEqual([
      { kind: 'line', text: '', interrupted: false },
      { kind: 'line', text: 'NOOP', interrupted: false },
    ]);
  });

  it('are left alone behind the first byte of a command, and in replies', () => {
    const name = 'RETR \xff\xf4\xff\xf2\xff\xff\xff\xfb\x01';
    expect(linesOf('client', [`${name}\n`])).toEqual([{ kind: 'line', text: name, interrupted: false }]);
    expect(linesOf('backend', ['\xff\xf4226 ok\n'])).toMatchObject([{ text: '\xff\xf4226 ok' }]);
  });
});
