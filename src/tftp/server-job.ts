import type { RetryRule } from './backoff.ts';
import { StoreError } from './errors.ts';
import type { Machine } from './machine.ts';
import { grant, optionPairs, type OptionLimits, shapeOf, type TftpOptions } from './negotiation.ts';
import { encodeAck, encodeOack, ErrorCode, Opcode } from './packet.ts';
import { Receiver } from './receiver.ts';
import { type TftpRequest, transferOptions } from './request.ts';
import { Sender } from './sender.ts';
import { sinkFor } from './sink.ts';
import { blocksOf } from './source.ts';
import type { Store } from './store.ts';

/** A request that a server can serve: its file is open. */
export interface Job {
  readonly granted: TftpOptions;
  /** Called once. */
  createMachine(retry: RetryRule, send: (packet: Uint8Array) => void): Machine;
  /** Called once, last: lets go of the file; one that was being written and failed vanishes. */
  release(failed: boolean): void;
}

/** Opens the file of a request. Throws StoreError with the answer for the client. */
export function openJob(request: TftpRequest, store: Store, limits: OptionLimits): Job {
  if (request.mode === 'mail') throw new StoreError(ErrorCode.illegalOperation, 'mail mode is not served');
  return request.opcode === Opcode.rrq ? readJob(request, store, limits) : writeJob(request, store, limits);
}

function readJob({ file, mode, options }: TftpRequest, store: Store, limits: OptionLimits): Job {
  const stored = store.openRead(file);
  // How long the text becomes on the wire is known only once it has been read.
  const granted = grant(transferOptions(options), limits, mode === 'octet' ? stored.size : undefined);
  const shape = shapeOf(granted);
  return {
    granted,
    createMachine: (retry, send) =>
      new Sender({ ...shape, retry, send, opening: oackFor(granted), read: blocksOf(stored, mode, shape) }),
    release: () => stored.close(),
  };
}

function writeJob({ file, mode, options }: TftpRequest, store: Store, limits: OptionLimits): Job {
  const asked = transferOptions(options);
  const upload = store.openWrite(file, asked.tsize);
  const granted = grant(asked, limits, asked.tsize);
  const opening = oackFor(granted) ?? encodeAck(0);
  return {
    granted,
    createMachine: (retry, send) =>
      new Receiver({ ...shapeOf(granted), retry, send, opening, sink: sinkFor(mode, upload) }),
    release: (failed) => {
      if (failed) upload.discard();
    },
  };
}

/** Undefined where nothing was granted: there is no OACK then (RFC 2347). */
function oackFor(granted: TftpOptions): Uint8Array | undefined {
  const pairs = optionPairs(granted);
  return Object.keys(pairs).length === 0 ? undefined : encodeOack(pairs);
}
