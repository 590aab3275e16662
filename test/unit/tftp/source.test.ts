import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeNetascii } from '../../../src/tftp/netascii.ts';
import { blocksOf, type ByteSource, notYet, type ReadBlock } from '../../../src/tftp/source.ts';
import { fileOf } from './content.ts';

const stream = (content: Uint8Array): ByteSource => {
  let offset = 0;
  return {
    kind: 'stream',
    read: (into) => {
      const part = content.subarray(offset, offset + into.length);
      into.set(part);
      offset += part.length;
      return part.length;
    },
    onReady: () => {},
  };
};

function readAll(read: ReadBlock, blksize: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let block = 1; ; block++) {
    const into = new Uint8Array(blksize);
    const length = read(block, into);
    parts.push(into.slice(0, length));
    if (length < blksize) return Buffer.concat(parts);
  }
}

const content = fc
  .uint8Array({ maxLength: 100 })
  .map((raw) => raw.map((byte) => (byte % 4 === 0 ? 10 : byte)));
const shape = { blksize: 8, windowsize: 3 };

describe('blocksOf', () => {
  it.each([
    ['a file', fileOf],
    ['a stream', stream],
  ])('hands out %s verbatim, in octet and as netascii', (_, make) => {
    fc.assert(
      fc.property(content, (bytes) => {
        expect(readAll(blocksOf(make(bytes), 'octet', shape), 8)).toEqual(Buffer.from(bytes));
        for (const mode of ['netascii', 'mail'] as const) {
          expect(readAll(blocksOf(make(bytes), mode, shape), 8)).toEqual(Buffer.from(encodeNetascii(bytes)));
        }
      }),
    );
  });

  it('hands out the blocks of a window again', () => {
    const read = blocksOf(stream(Buffer.from('aaaaaaaabbbbbbbbccccccccdd')), 'octet', shape);
    const block = (n: number): string => {
      const into = new Uint8Array(8);
      return Buffer.from(into.subarray(0, read(n, into))).toString();
    };
    expect([1, 2, 3, 1, 2, 3].map(block).join(' ')).toBe(
      'aaaaaaaa bbbbbbbb cccccccc aaaaaaaa bbbbbbbb cccccccc',
    );
    expect([2, 3, 4, 2, 3, 4].map(block).join(' ')).toBe('bbbbbbbb cccccccc dd bbbbbbbb cccccccc dd');
  });

  it.each(['octet', 'netascii'] as const)('passes on that a stream has nothing yet (%s)', (mode) => {
    const lengths = [notYet, 8, notYet, 2];
    const read = blocksOf(
      { kind: 'stream', read: (into) => into.fill(65) && (lengths.shift() ?? 0), onReady: () => {} },
      mode,
      shape,
    );
    const into = new Uint8Array(8);
    expect([1, 1, 2, 2].map((block) => read(block, into))).toEqual([notYet, 8, notYet, 2]);
  });
});
