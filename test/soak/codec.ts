/** The codec's properties with inputs as large as datagrams can be. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { editRequest } from '../../src/tftp/edit.ts';
import {
  encodeRequest,
  errorMessageOf,
  Opcode,
  TftpProtocolError,
  transferOpcodeOf,
} from '../../src/tftp/packet.ts';
import { decodeOack, decodeRequest, optionRecord, transferOptions } from '../../src/tftp/request.ts';
import { Noise } from '../fuzz/noise.ts';
import type { Runs } from '../unit/tftp/session-model.ts';

const seed = fc.integer({ min: 0 });
const character = fc.integer({ min: 1, max: 255 }).map((code) => String.fromCodePoint(code));
const text = fc.string({ unit: character, minLength: 1, maxLength: 40 });
const knownNames = ['blksize', 'BLKSIZE', 'blksize2', 'windowsize', 'tsize', 'timeout', 'multicast'];
const values = fc.oneof(fc.nat(70_000).map(String), text);
const options = fc.dictionary(fc.oneof(fc.constantFrom(...knownNames), text), values, { maxKeys: 8 });
const requests = fc
  .tuple(fc.constantFrom(Opcode.rrq, Opcode.wrq), text, fc.constantFrom('octet', 'NetASCII', 'mail'), options)
  .map(([opcode, file, mode, asked]) => ({
    opcode,
    file,
    mode,
    asked,
    packet: encodeRequest(opcode, file, mode, asked),
  }));

function decodeOr(packet: Uint8Array): ReturnType<typeof decodeRequest> | undefined {
  try {
    return decodeRequest(packet);
  } catch (error) {
    expect(error).toBeInstanceOf(TftpProtocolError);
    return undefined;
  }
}

/** Everything that reads datagrams, on everything that may come. */
export function readsAnything(runs: Runs): void {
  const property = fc.property(seed, (seed) => {
    const packet = new Noise(seed).datagram();
    const request = decodeOr(packet);
    if (request) {
      expect(request.file).not.toBe('');
      const edits = { maxBlksize: 512, maxWindowsize: 1, stripMulticast: true };
      expect(decodeOr(editRequest(packet, request, edits))).toBeDefined();
    }
    const { blksize, windowsize } = transferOptions(decodeOack(packet));
    for (const number of [blksize, windowsize]) expect(number ?? 0).toBeGreaterThanOrEqual(0);
    if (transferOpcodeOf(packet) === Opcode.error) expect(errorMessageOf(packet)).not.toContain('\0');
  });
  fc.assert(property, runs);
}

export function readsWhatItWrote(runs: Runs): void {
  const property = fc.property(requests, ({ opcode, file, mode, asked, packet }) => {
    const request = decodeRequest(packet);
    expect([request.opcode, request.file, request.mode]).toEqual([opcode, file, mode.toLowerCase()]);
    expect(request.options.map(({ name, value }) => [name, value])).toEqual(
      Object.entries(asked).map(([name, value]) => [name.toLowerCase(), value]),
    );
  });
  fc.assert(property, runs);
}

/** Names, order, other options and what stands before them stay; no value grows; a second edit finds nothing to do. */
export function editsOnlyValues(runs: Runs): void {
  const limits = fc.record({
    maxBlksize: fc.option(fc.integer({ min: 8, max: 65_464 }), { nil: undefined }),
    maxWindowsize: fc.option(fc.integer({ min: 1, max: 65_535 }), { nil: undefined }),
    stripMulticast: fc.boolean(),
  });
  const property = fc.property(requests, limits, ({ packet }, edits) => {
    const request = decodeRequest(packet);
    const edited = editRequest(packet, request, edits);
    const after = decodeRequest(edited);
    expect([after.opcode, after.file, after.mode]).toEqual([request.opcode, request.file, request.mode]);
    const strips = edits.stripMulticast && request.options.some(({ name }) => name !== 'multicast');
    const kept = request.options.filter(({ name }) => !strips || name !== 'multicast');
    expect(after.options.map(({ name }) => name)).toEqual(kept.map(({ name }) => name));
    const { blksize, windowsize } = transferOptions(after.options);
    if (edits.maxBlksize !== undefined) expect(blksize ?? 0).toBeLessThanOrEqual(edits.maxBlksize);
    if (edits.maxWindowsize !== undefined) expect(windowsize ?? 0).toBeLessThanOrEqual(edits.maxWindowsize);
    for (const name of ['timeout', 'tsize']) {
      expect(optionRecord(after.options)[name]).toBe(optionRecord(request.options)[name]);
    }
    expect(editRequest(edited, after, edits)).toBe(edited);
  });
  fc.assert(property, runs);
}
