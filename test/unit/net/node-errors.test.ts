import { describe, expect, it } from 'vitest';
import { NetError } from '../../../src/net/net.ts';
import { errnoOf, toNetError } from '../../../src/net/node-errors.ts';

const systemError = (code: string): Error => Object.assign(new Error(`bind ${code}`), { code });

describe('toNetError', () => {
  it.each([
    ['EADDRINUSE', 'TLB_ERR_ADDRESS_IN_USE'],
    ['EADDRNOTAVAIL', 'TLB_ERR_ADDRESS_NOT_LOCAL'],
    ['EACCES', 'TLB_ERR_PERMISSION'],
    ['EPERM', 'TLB_ERR_PERMISSION'],
    ['EMFILE', 'TLB_ERR_NO_DESCRIPTORS'],
    ['ENFILE', 'TLB_ERR_NO_DESCRIPTORS'],
    ['EMSGSIZE', 'TLB_ERR_MESSAGE_TOO_LONG'],
    ['EHOSTUNREACH', 'TLB_ERR_UNREACHABLE'],
    ['ENETUNREACH', 'TLB_ERR_UNREACHABLE'],
    ['ENOBUFS', 'TLB_ERR_SOCKET'],
    ['ENOTFOUND', 'TLB_ERR_UNKNOWN_HOST'],
  ])('%s becomes %s, with what was attempted, a reason without jargon and the cause', (errno, code) => {
    const cause = systemError(errno);
    const error = toNetError(cause, 'cannot bind 192.0.2.1 port 69');
    expect(error.code).toBe(code);
    expect(error.cause).toBe(cause);
    expect(error.message).toMatch(/^cannot bind 192\.0\.2\.1 port 69: [a-z]/);
    expect(error.message).not.toContain(errno);
  });

  it('keeps the words of an error that it does not know', () => {
    const error = toNetError(systemError('EWEIRD'), 'cannot bind');
    expect(error).toMatchObject({ code: 'TLB_ERR_SOCKET', message: 'cannot bind: bind EWEIRD' });
    expect(toNetError('thrown text', 'cannot bind').message).toBe('cannot bind: thrown text');
    expect(toNetError(systemError('EWEIRD'), 'cannot find', 'TLB_ERR_UNKNOWN_HOST').code).toBe(
      'TLB_ERR_UNKNOWN_HOST',
    );
  });

  it('leaves a NetError as it is', () => {
    const error = new NetError('TLB_ERR_NO_PORTS', 'no free port');
    expect(toNetError(error, 'cannot bind')).toBe(error);
  });
});

describe('errnoOf', () => {
  it('is empty for what is no system error', () => {
    expect(errnoOf(systemError('EADDRINUSE'))).toBe('EADDRINUSE');
    for (const error of [
      new Error('plain'),
      Object.assign(new Error('odd'), { code: 5 }),
      'text',
      undefined,
    ]) {
      expect(errnoOf(error)).toBe('');
    }
  });
});
