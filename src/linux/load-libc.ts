import { createRequire } from 'node:module';
import type { Arch } from './layout.ts';
import { type Ffi, Libc } from './libc.ts';

type Koffi = Pick<typeof import('koffi'), 'load' | 'address' | 'errno'>;

/** Where the program runs, and how it comes by koffi. */
export interface Host {
  readonly platform: string;
  readonly arch: string;
  /** As require(). */
  readonly load: (name: 'koffi') => Koffi;
}

export type LibcLoad =
  | { readonly kind: 'loaded'; readonly libc: Libc }
  | {
      readonly kind: 'unavailable';
      /** In words that a log line can end with. */
      readonly reason: string;
    };

const thisHost: Host = {
  platform: process.platform,
  arch: process.arch,
  load: createRequire(import.meta.url),
};

/** Binds the C library that this process already has. Never throws: what cannot be had is an answer. */
export function loadLibc(host: Host = thisHost): LibcLoad {
  if (host.platform !== 'linux') return unavailable(`the platform is ${host.platform}`);
  if (!isKnown(host.arch)) return unavailable(`the processor is ${host.arch}, not x64 or arm64`);
  try {
    return { kind: 'loaded', libc: new Libc(ffiOf(host.load('koffi')), host.arch) };
  } catch (error) {
    return unavailable(reasonOf(error));
  }
}

function ffiOf(koffi: Koffi): Ffi {
  // The program itself: it is linked with a C library, glibc or musl, wherever that lies.
  const program = koffi.load(null);
  return {
    func: (declaration) => program.func(declaration),
    textFunc: (declaration) => program.func(declaration),
    address: (memory) => koffi.address(memory),
    errno: () => koffi.errno(),
  };
}

function isKnown(arch: string): arch is Arch {
  return arch === 'x64' || arch === 'arm64';
}

function unavailable(reason: string): LibcLoad {
  return { kind: 'unavailable', reason };
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'MODULE_NOT_FOUND') return 'the optional package koffi is not installed';
  const [line = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
  return `koffi cannot reach the C library (${line})`;
}
