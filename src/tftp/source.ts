import { joined } from './bytes.ts';
import { ErrorCode } from './packet.ts';
import { encodeNetascii } from './netascii.ts';
import { StoreError } from './errors.ts';
import type { TftpRequest } from './request.ts';

/** What a source returns that has nothing yet and is not at its end. */
export const notYet = -1;

/** A file whose bytes can be read at any place, in any order. */
export interface FileSource {
  readonly kind: 'file';
  /** Bytes. */
  readonly size: number;
  /** Fills `into` from the byte at `offset` on; returns how many bytes it got, fewer only at the file's end. */
  read(offset: number, into: Uint8Array): number;
}

/** Bytes that come in order and once. */
export interface StreamSource {
  readonly kind: 'stream';
  /** Fills `into`; returns how many bytes it got, fewer only at the end (0 from then on), or `notYet`. */
  read(into: Uint8Array): number;
  /** `callback` is called when there is more to read after `notYet`, never from within `read`. */
  onReady(callback: () => void): void;
}

export type ByteSource = FileSource | StreamSource;

/**
 * Payloads by block number, counted from 1 and not cut to 16 bits. Fills `into`, one block long; fewer bytes make it
 * the last block. A block may be asked for again as long as it is in the window.
 */
export type ReadBlock = (block: number, into: Uint8Array) => number;

export interface BlockShape {
  readonly blksize: number;
  readonly windowsize: number;
}

/** Cuts a source into blocks, behind the translation that a mode asks for (mail is netascii, RFC 1350 section 1). */
export function blocksOf(source: ByteSource, mode: TftpRequest['mode'], shape: BlockShape): ReadBlock {
  if (source.kind === 'file' && mode === 'octet') return fileBlocks(source, shape.blksize);
  const read = source.kind === 'file' ? inOrder(source) : (into: Uint8Array) => source.read(into);
  return keepWindow(mode === 'octet' ? read : translated(read), shape.windowsize);
}

/** A file that changes its size under a transfer would end it early or never: that is an error instead. */
function fileBlocks(file: FileSource, blksize: number): ReadBlock {
  return (block, into) => {
    const offset = (block - 1) * blksize;
    const length = Math.min(blksize, file.size - offset);
    if (file.read(offset, into.subarray(0, length)) !== length) {
      throw new StoreError(ErrorCode.notDefined, 'the file became shorter while it was read');
    }
    return length;
  };
}

function inOrder(file: FileSource): (into: Uint8Array) => number {
  let offset = 0;
  return (into) => {
    const length = file.read(offset, into);
    offset += length;
    return length;
  };
}

/** What cannot be read twice is kept until it is acknowledged: at most one window. */
function keepWindow(read: (into: Uint8Array) => number, windowsize: number): ReadBlock {
  const kept: Uint8Array[] = [];
  let newest = 0;
  return (block, into) => {
    if (block > newest) {
      const length = read(into);
      if (length === notYet) return notYet;
      newest = block;
      kept[block % windowsize] = into.slice(0, length);
      return length;
    }
    const payload = kept[block % windowsize] ?? new Uint8Array(0);
    into.set(payload);
    return payload.length;
  };
}

/** Reads text and hands out netascii; what does not fit waits for the next call. */
function translated(read: (into: Uint8Array) => number): (into: Uint8Array) => number {
  let rest: Uint8Array = new Uint8Array(0);
  let ended = false;
  return (into) => {
    const text = new Uint8Array(into.length);
    while (rest.length < into.length && !ended) {
      const length = read(text);
      if (length === notYet) return notYet;
      ended = length < text.length;
      rest = joined([rest, encodeNetascii(text.subarray(0, length))]);
    }
    const taken = rest.subarray(0, into.length);
    into.set(taken);
    rest = rest.slice(taken.length);
    return taken.length;
  };
}
