import type { ByteSink } from '../../src/tftp/sink.ts';
import type { FileSource } from '../../src/tftp/source.ts';

/** `size` bytes that repeat at no block border, the same for the same size. */
export function bytesOf(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = size + 1;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

export function sourceOf(content: Uint8Array): FileSource {
  return {
    kind: 'file',
    size: content.length,
    read: (offset, into) => {
      const part = content.subarray(offset, offset + into.length);
      into.set(part);
      return part.length;
    },
  };
}

/** Keeps what is written. */
export function sinkInto(): ByteSink & { bytes(): Uint8Array } {
  const parts: Uint8Array[] = [];
  return {
    write: (bytes) => {
      parts.push(new Uint8Array(bytes));
      return true;
    },
    end: () => {},
    bytes: () => new Uint8Array(Buffer.concat(parts)),
  };
}
