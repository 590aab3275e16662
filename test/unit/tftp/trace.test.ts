import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  encodeAck,
  encodeData,
  encodeError,
  encodeOack,
  encodeRequest,
  Opcode,
} from '../../../src/tftp/packet.ts';
import { describePacket } from '../../../src/tftp/trace.ts';

describe('describePacket', () => {
  it.each([
    [
      encodeRequest(Opcode.rrq, 'a b', 'octet', { tsize: '0', blksize: '8' }),
      'RRQ "a b" octet tsize=0 blksize=8',
    ],
    [encodeRequest(Opcode.wrq, 'caf\xe9"\\\n', 'mail'), String.raw`WRQ "caf\xe9\"\\\x0a" mail`],
    [encodeData(65_535, new Uint8Array(3)), 'DATA block 65535, 3 bytes'],
    [encodeAck(0), 'ACK block 0'],
    [encodeError(2, '\x1b[2J'), String.raw`ERROR 2 "\x1b[2J"`],
    [Uint8Array.of(0, 5, 0, 8), 'ERROR 8 ""'],
    [encodeOack({ 'x\n': '\x07' }), String.raw`OACK x\x0a=\x07`],
    [Uint8Array.of(0, 4, 0), 'malformed, 3 bytes'],
    [Uint8Array.of(0, 1, 0), 'malformed, 3 bytes'],
    [new Uint8Array(0), 'malformed, 0 bytes'],
  ])('puts %j into words', (packet, words) => {
    expect(describePacket(packet)).toBe(words);
  });

  it('has one printable line for any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(6), (bytes, opcode) => {
        expect(describePacket(Uint8Array.of(0, opcode, ...bytes))).toMatch(/^[ -~]+$/);
      }),
    );
  });
});
