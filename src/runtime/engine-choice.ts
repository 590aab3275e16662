import type { Libc } from '../linux/libc.ts';
import { loadLibc } from '../linux/load-libc.ts';
import { openSocket } from '../linux/net/open-socket.ts';
import { probe } from '../linux/probe.ts';
import { close } from '../linux/sockets.ts';
import { NetError } from '../net/net.ts';

/** Why one engine and no other. */
export interface EngineNotice {
  readonly name: 'portable' | 'linux';
  /** In words that a log line can end with. */
  readonly reason: string;
}

export type EngineChoice = EngineNotice &
  (
    | {
        readonly name: 'portable';
        /** For what makes system calls apart from the engine; undefined where there are none. */
        readonly libc: Libc | undefined;
      }
    | { readonly name: 'linux'; readonly libc: Libc }
  );

/** The engine that was asked for, or is needed, does not work here. */
export class EngineUnavailableError extends Error {
  override readonly name = 'EngineUnavailableError';
  readonly code = 'TLB_ERR_ENGINE';
}

/** What TFTP is to be served with. Throws EngineUnavailableError if the Linux engine is asked for and cannot be had. */
export function chooseEngine(wanted: 'auto' | 'portable' | 'linux'): EngineChoice {
  const loaded = loadLibc();
  const libc = loaded.kind === 'loaded' ? loaded.libc : undefined;
  if (wanted === 'portable') return { name: 'portable', reason: 'it was asked for', libc };
  const obstacle = loaded.kind === 'loaded' ? probe(loaded.libc) : loaded.reason;
  if (loaded.kind === 'loaded' && obstacle === undefined) {
    const reason = wanted === 'linux' ? 'it was asked for' : 'its system calls work here';
    return { name: 'linux', reason, libc: loaded.libc };
  }
  if (wanted === 'linux')
    throw new EngineUnavailableError(`--engine linux does not work here: ${obstacle ?? ''}`);
  return { name: 'portable', reason: obstacle ?? '', libc };
}

/** Throws EngineUnavailableError unless sockets can have the addresses of clients here. */
export function requireTransparency(choice: EngineChoice): void {
  if (choice.name !== 'linux') {
    throw new EngineUnavailableError(
      `--transparent needs the linux engine, and this is the portable one: ${choice.reason}`,
    );
  }
  try {
    // An address that is nobody's (RFC 5737).
    const at = { address: '192.0.2.1', port: 0 };
    close(choice.libc, openSocket(choice.libc, at, { isTransparent: true }));
  } catch (error) {
    if (!(error instanceof NetError)) throw error;
    throw new EngineUnavailableError('--transparent needs the capability CAP_NET_ADMIN or CAP_NET_RAW', {
      cause: error,
    });
  }
}
