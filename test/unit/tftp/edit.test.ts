import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editRequest, type RequestEdits } from '../../../src/tftp/edit.ts';
import { decodeRequest, optionRecord } from '../../../src/tftp/request.ts';

const none: RequestEdits = { maxBlksize: undefined, maxWindowsize: undefined, stripMulticast: false };

function edited(text: string, edits: Partial<RequestEdits>): string {
  const packet = Buffer.from(text, 'latin1');
  return Buffer.from(editRequest(packet, decodeRequest(packet), { ...none, ...edits })).toString('latin1');
}

describe('editRequest', () => {
  it.each<[string, string, Partial<RequestEdits>, string]>([
    ['lowers blksize', 'BlkSize\x008192\0', { maxBlksize: 1428 }, 'BlkSize\x001428\0'],
    ['leaves a smaller blksize', 'blksize\x00512\0', { maxBlksize: 1428 }, 'blksize\x00512\0'],
    ['lowers blksize2 to a power of two', 'blksize2\x008192\0', { maxBlksize: 1428 }, 'blksize2\x001024\0'],
    ['lowers windowsize', 'windowsize\x0064\0', { maxWindowsize: 16 }, 'windowsize\x0016\0'],
    [
      'keeps order, case and unknown options',
      'X-Odd\0yes\0blksize\x008192\0tSize\x000\0windowsize\x0064\0junk',
      { maxBlksize: 1024, maxWindowsize: 4 },
      'X-Odd\0yes\0blksize\x001024\0tSize\x000\0windowsize\x004\0junk',
    ],
    [
      'removes multicast',
      'tsize\x000\0multicast\0\0blksize\x00512\0',
      { stripMulticast: true },
      'tsize\x000\0blksize\x00512\0',
    ],
    [
      'keeps multicast when it is the only option',
      'multicast\0\0',
      { stripMulticast: true },
      'multicast\0\0',
    ],
    [
      'keeps multicast unless asked to remove it',
      'multicast\0\0tsize\x000\0',
      {},
      'multicast\0\0tsize\x000\0',
    ],
    ['never touches timeout', 'timeout\x00255\0', { maxBlksize: 8, maxWindowsize: 1 }, 'timeout\x00255\0'],
    ['leaves what is no number to the server', 'blksize\x00big\0', { maxBlksize: 8 }, 'blksize\x00big\0'],
    [
      'edits an option wherever it stands again',
      'blksize\x00100\0blksize\x008192\0',
      { maxBlksize: 512 },
      'blksize\x00100\0blksize\x00512\0',
    ],
    ['edits a value without its last NUL', 'blksize\x008192', { maxBlksize: 8 }, 'blksize\x008'],
  ])('%s', (_, options, edits, expected) => {
    expect(edited(`\0\x01File\0OCTET\0${options}`, edits)).toBe(`\0\x01File\0OCTET\0${expected}`);
  });

  it('returns the very packet where nothing has to change', () => {
    const packet = Buffer.from('\0\x01f\0octet\0blksize\x00512\0', 'latin1');
    expect(editRequest(packet, decodeRequest(packet), { ...none, maxBlksize: 512 })).toBe(packet);
  });

  it('never adds an option and never removes the last one', () => {
    const name = fc.constantFrom(
      'blksize',
      'blksize2',
      'windowsize',
      'multicast',
      'tsize',
      'timeout',
      'other',
    );
    const value = fc.oneof(fc.nat(70_000).map(String), fc.constant(''));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 6 }), fc.boolean(), (pairs, strip) => {
        const text = pairs.map(([n, v]) => `${n}\0${v}\0`).join('');
        const packet = Buffer.from(`\0\x01f\0octet\0${text}`, 'latin1');
        const before = optionRecord(decodeRequest(packet).options);
        const edits = { maxBlksize: 1400, maxWindowsize: 8, stripMulticast: strip };
        const after = optionRecord(decodeRequest(editRequest(packet, decodeRequest(packet), edits)).options);
        for (const key of Object.keys(after)) expect(Object.keys(before)).toContain(key);
        expect(Object.keys(after).length === 0).toBe(Object.keys(before).length === 0);
        if (strip && Object.keys(before).length > 1) expect(after).not.toHaveProperty('multicast');
      }),
    );
  });
});
