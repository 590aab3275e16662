import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  blockOf,
  encodeAck,
  encodeData,
  encodeError,
  encodeOack,
  encodeRequest,
  errorMessageOf,
  isError,
  Opcode,
  opcodeOf,
  TftpProtocolError,
  transferOpcodeOf,
} from '../../../src/tftp/packet.ts';
import { decodeOack, decodeRequest, optionRecord, transferOptions } from '../../../src/tftp/request.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'latin1');
const withoutNul = fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((c) => String.fromCharCode(c)) });
const nonEmpty = withoutNul.filter((s) => s.length > 0);

function readAnything(packet: Uint8Array): void {
  try {
    decodeRequest(packet);
  } catch (error) {
    expect(error).toBeInstanceOf(TftpProtocolError);
  }
  transferOptions(decodeOack(packet));
  errorMessageOf(packet);
  transferOpcodeOf(packet);
}

describe('packets', () => {
  it('DATA and ACK carry their block number', () => {
    fc.assert(
      fc.property(fc.nat(65_535), fc.uint8Array({ maxLength: 600 }), (block, payload) => {
        const data = encodeData(block, payload);
        expect([opcodeOf(data), blockOf(data)]).toEqual([Opcode.data, block]);
        expect(data.subarray(4)).toEqual(payload);
        expect([opcodeOf(encodeAck(block)), blockOf(encodeAck(block))]).toEqual([Opcode.ack, block]);
      }),
    );
  });

  it('ERROR carries its code and message', () => {
    fc.assert(
      fc.property(fc.nat(65_535), withoutNul, (code, message) => {
        const packet = encodeError(code, message);
        expect([blockOf(packet), errorMessageOf(packet), isError(packet)]).toEqual([code, message, true]);
      }),
    );
  });

  it('an ERROR needs neither a message nor its NUL', () => {
    expect(errorMessageOf(Uint8Array.of(0, 5, 0, 0))).toBe('');
    expect(errorMessageOf(bytes('\0\x05\0\x01gone'))).toBe('gone');
  });

  it('a NUL cannot be smuggled into a string', () => {
    expect(() => encodeError(0, 'a\0b')).toThrow(RangeError);
    expect(() => encodeRequest(Opcode.rrq, 'a\0b', 'octet')).toThrow(RangeError);
    expect(() => encodeOack({ a: 'b\0' })).toThrow(RangeError);
  });

  it.each([
    ['nothing', []],
    ['one byte', [0]],
    ['opcode 0', [0, 0, 0, 0]],
    ['opcode 7', [0, 7, 0, 0]],
    ['a high byte', [1, 3, 0, 0]],
    ['three bytes', [0, 3, 0]],
  ])('%s is no packet of a transfer', (_, packet) => {
    expect(transferOpcodeOf(Uint8Array.from(packet))).toBe(0);
  });

  it('a request is no packet of a transfer', () => {
    expect(transferOpcodeOf(encodeRequest(Opcode.rrq, 'f', 'octet'))).toBe(0);
  });
});

describe('requests', () => {
  it('are read as they were written', () => {
    const names = fc.uniqueArray(nonEmpty, { selector: (name) => name.toLowerCase(), maxLength: 6 });
    fc.assert(
      fc.property(nonEmpty, names, withoutNul, (file, options, value) => {
        const record = Object.fromEntries(options.map((name) => [name, value]));
        const request = decodeRequest(encodeRequest(Opcode.wrq, file, 'OcTeT', record));
        expect(request).toMatchObject({ opcode: Opcode.wrq, file, mode: 'octet' });
        expect(request.options.map((option) => [option.name, option.value])).toEqual(
          Object.entries(record).map(([name, v]) => [name.toLowerCase(), v]),
        );
      }),
    );
  });

  it('may be followed by padding or junk, and lack their last NUL', () => {
    const padded = Buffer.concat([
      encodeRequest(Opcode.rrq, 'f', 'octet', { tsize: '0' }),
      Buffer.alloc(490),
    ]);
    expect(optionRecord(decodeRequest(padded).options)).toEqual({ tsize: '0' });
    const junk = Buffer.concat([encodeRequest(Opcode.rrq, 'f', 'octet', { tsize: '0' }), bytes('junk')]);
    expect(optionRecord(decodeRequest(junk).options)).toEqual({ tsize: '0' });
    expect(decodeRequest(bytes('\0\x01file\0octet'))).toMatchObject({ file: 'file', mode: 'octet' });
    expect(optionRecord(decodeRequest(bytes('\0\x01f\0octet\0blksize\x001428')).options)).toEqual({
      blksize: '1428',
    });
  });

  it('may be longer than 512 bytes and have names in no encoding', () => {
    const file = `${'x'.repeat(900)}\xff\xfe`;
    expect(decodeRequest(encodeRequest(Opcode.rrq, file, 'netascii')).file).toBe(file);
  });

  it('an option that stands twice counts once, with its first value', () => {
    const packet = bytes('\0\x01f\0octet\0blksize\x00100\0BLKSIZE\x00200\0');
    expect(optionRecord(decodeRequest(packet).options)).toEqual({ blksize: '100' });
  });

  it('an empty value is a value', () => {
    const packet = bytes('\0\x01f\0octet\0multicast\0\0tsize\x000\0');
    expect(optionRecord(decodeRequest(packet).options)).toEqual({ multicast: '', tsize: '0' });
  });

  it.each([
    ['a name without an end', '\0\x01file'],
    ['an empty name', '\0\x01\0octet\0'],
    ['no mode', '\0\x01f\0'],
    ['an unknown mode', '\0\x01f\0binary\0'],
    ['too many options', `\0\x01f\0octet\0${'a\0\0'.repeat(65)}`],
    ['one that is too long to be kept', `\0\x01${'f'.repeat(8_200)}\0octet\0`],
    ['another opcode', '\0\x03f\0octet\0'],
    ['nothing', ''],
  ])('%s is refused', (_, text) => {
    expect(() => decodeRequest(bytes(text))).toThrow(TftpProtocolError);
  });

  it('random bytes and every truncation throw nothing but the protocol error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), readAnything), { numRuns: 2_000 });
    const whole = encodeRequest(Opcode.rrq, 'dir/file', 'octet', { blksize: '1428', tsize: '0' });
    for (let end = 0; end <= whole.length; end++) readAnything(whole.subarray(0, end));
  });
});

describe('options that are numbers', () => {
  it('are read where they are plain decimals', () => {
    const options = decodeOack(encodeOack({ BLKSIZE: '1428', timeout: '5', tsize: '0', windowsize: '16' }));
    expect(transferOptions(options)).toEqual({ blksize: 1428, timeout: 5, tsize: 0, windowsize: 16 });
  });

  it.each(['', '-1', '1e3', '0x10', ' 5', '5 ', '9'.repeat(16), 'NaN'])('%j counts as absent', (value) => {
    expect(transferOptions(decodeOack(encodeOack({ blksize: value }))).blksize).toBeUndefined();
  });
});
