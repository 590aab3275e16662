import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Host, loadLibc } from '../../../src/linux/load-libc.ts';
import { probe } from '../../../src/linux/probe.ts';
import { openSockets } from '../../helpers/descriptors.ts';
import { isElsewhere, libcHere } from './kernel.ts';

type Koffi = ReturnType<Host['load']>;
type Native = (...values: unknown[]) => unknown;

const require = createRequire(import.meta.url);

/** A host on which nothing fails but what `changes` says. */
function host(changes: Partial<Host>): Host {
  return { platform: 'linux', arch: 'x64', load: require, ...changes };
}

/** koffi with each function changed as `change` says, which gets the name in C. */
function changedKoffi(change: (name: string, native: Native) => Native, errno: number): Koffi {
  const koffi = require('koffi') as Koffi;
  const program = koffi.load(null);
  const func = (declaration: string): Native => {
    const [, name = ''] = /(\w+)\(/u.exec(declaration) ?? [];
    return change(name, program.func(declaration) as Native);
  };
  return { ...koffi, load: () => ({ ...program, func }) as ReturnType<Koffi['load']>, errno: () => errno };
}

function same(native: Native): Native {
  return native;
}

function lacking(): Native {
  return () => -1;
}

/** recvmmsg for the first message alone. */
function first(native: Native): Native {
  return (call, fd, headers, _count, ...more) => native(call, fd, headers, 1, ...more);
}

describe('the C library', () => {
  it.each(['darwin', 'win32', 'freebsd'])('is not asked for on %s', (platform) => {
    const load = loadLibc(host({ platform }));
    expect(load).toEqual({ kind: 'unavailable', reason: `the platform is ${platform}` });
  });

  it.each(['arm', 'ia32', 'riscv64'])('is not known on %s', (arch) => {
    const load = loadLibc(host({ arch }));
    expect(load).toEqual({ kind: 'unavailable', reason: `the processor is ${arch}, not x64 or arm64` });
  });

  it('cannot be had without koffi', () => {
    const load = loadLibc(host({ load: createRequire(join(tmpdir(), 'nothing-installed', 'here.js')) }));
    expect(load).toEqual({ kind: 'unavailable', reason: 'the optional package koffi is not installed' });
  });

  it('cannot be had where koffi has no binary', () => {
    const load = loadLibc(
      host({
        load: () => {
          throw new Error('Cannot find the native Koffi module; did you bundle it correctly?\nmore');
        },
      }),
    );
    expect(load).toEqual({
      kind: 'unavailable',
      reason:
        'koffi cannot reach the C library (Cannot find the native Koffi module; did you bundle it correctly?)',
    });
  });

  it.skipIf(isElsewhere)('must have every function that is needed', () => {
    const without = changedKoffi((name, native) => {
      if (name === 'epoll_wait') throw new Error(`Cannot find function '${name}' in shared library`);
      return native;
    }, 0);
    expect(loadLibc(host({ arch: process.arch, load: () => without }))).toEqual({
      kind: 'unavailable',
      reason: "koffi cannot reach the C library (Cannot find function 'epoll_wait' in shared library)",
    });
  });
});

describe.skipIf(isElsewhere)('the probe', () => {
  it('finds that all works, and leaves nothing open', () => {
    const before = openSockets();
    expect(probe(libcHere())).toBeUndefined();
    expect(openSockets()).toBe(before);
  });

  const EPERM = 1;
  const names = [
    'socket',
    'bind',
    'setsockopt',
    'getsockname',
    'epoll_create1',
    'epoll_ctl',
    'epoll_wait',
    'eventfd',
  ];

  it.each(names)('names %s where that is forbidden, and leaves nothing open', (forbidden) => {
    const koffi = changedKoffi((name, native) => (name === forbidden ? () => -1 : native), EPERM);
    const load = loadLibc(host({ arch: process.arch, load: () => koffi }));
    if (load.kind === 'unavailable') throw new Error(load.reason);
    const before = openSockets();
    expect(probe(load.libc)).toMatch(new RegExp(`^${forbidden}.*: EPERM, operation not permitted$`, 'u'));
    expect(openSockets()).toBe(before);
  });

  const ENOSYS = 38;

  /** What the probe says where sendmmsg, which it calls first, and recvmmsg are changed. */
  function probeWith(
    sendmmsg: (native: Native) => Native,
    recvmmsg: (native: Native) => Native,
  ): string | undefined {
    const changes = [sendmmsg, recvmmsg];
    const koffi = changedKoffi((name, native) => {
      if (name !== 'syscall') return native;
      return (...values) => (changes.shift() ?? same)(native)(...values);
    }, ENOSYS);
    const load = loadLibc(host({ arch: process.arch, load: () => koffi }));
    if (load.kind === 'unavailable') throw new Error(load.reason);
    return probe(load.libc);
  }

  it('names sendmmsg and recvmmsg where the kernel has no such call', () => {
    expect(probeWith(lacking, same)).toBe('sendmmsg: ENOSYS, function not implemented');
    expect(probeWith(same, lacking)).toBe('recvmmsg: ENOSYS, function not implemented');
  });

  it('does not take part of what was sent for all of it', () => {
    expect(probeWith(same, first)).toBe('recvmmsg loses what sendmmsg has sent');
  });
});
