import type { FileSource } from '../../../src/tftp/source.ts';

/** Bytes that differ from block to block and from offset to offset. */
export function patterned(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 7) & 0xff);
}

export function fileOf(content: Uint8Array): FileSource {
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
