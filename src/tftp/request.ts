/**
 * RRQ and WRQ, and the option pairs that they share with OACK (RFC 1350 section 5, RFC 2347, 2348, 2349, 7440).
 *
 * Reading is tolerant: boot ROMs send junk behind the last NUL of a fixed-size request, leave that NUL out, write
 * option names in any case and file names in no particular encoding.
 */
import { ErrorCode, latin1, Opcode, opcodeOf, TftpProtocolError } from './packet.ts';

/**
 * Bytes. Whoever serves a request keeps it and what is granted for it, thousands at a time: a datagram's 64 KiB each
 * would be a cheap way to use up the memory of this program. RFC 2347 has 512 bytes; what is longer than one frame
 * carries is no boot program's.
 */
export const maxPacketLength = 2_048;
/** A datagram has room for 20,000 options and nobody has a use for more than ten. */
const maxOptions = 64;

/** One option as it lies in its packet: `packet.subarray(valueStart, valueEnd)` is its value without the NUL. */
export interface OptionView {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  readonly nameStart: number;
  readonly valueStart: number;
  readonly valueEnd: number;
}

const modes = ['octet', 'netascii', 'mail'] as const;

export interface TftpRequest {
  readonly opcode: typeof Opcode.rrq | typeof Opcode.wrq;
  /** One character a byte: file names have no encoding (latin1 keeps every byte). */
  readonly file: string;
  readonly mode: (typeof modes)[number];
  /** In the order of the packet; an option may stand twice. */
  readonly options: readonly OptionView[];
}

/** The numbers that matter to whoever follows a transfer; undefined where an option is absent or no number. */
export interface TransferOptions {
  readonly blksize: number | undefined;
  /** Seconds. */
  readonly timeout: number | undefined;
  readonly tsize: number | undefined;
  readonly windowsize: number | undefined;
}

/** Reads an RRQ or WRQ. Throws TftpProtocolError with the ERROR code for the sender. */
export function decodeRequest(packet: Uint8Array): TftpRequest {
  const opcode = opcodeOf(packet);
  if (opcode !== Opcode.rrq && opcode !== Opcode.wrq) {
    throw new TftpProtocolError(ErrorCode.illegalOperation, 'not a read or write request');
  }
  if (packet.length > maxPacketLength) {
    throw new TftpProtocolError(ErrorCode.illegalOperation, 'the request is too long');
  }
  const fileEnd = packet.indexOf(0, 2);
  if (fileEnd < 0) throw new TftpProtocolError(ErrorCode.illegalOperation, 'file name without an end');
  if (fileEnd === 2) throw new TftpProtocolError(ErrorCode.illegalOperation, 'empty file name');
  const modeEnd = endOfString(packet, fileEnd + 1);
  const given = latin1(packet, fileEnd + 1, modeEnd).toLowerCase();
  const mode = modes.find((known) => known === given);
  if (mode === undefined) {
    throw new TftpProtocolError(ErrorCode.illegalOperation, 'unknown transfer mode');
  }
  const options = readOptions(packet, modeEnd + 1);
  if (options.length > maxOptions)
    throw new TftpProtocolError(ErrorCode.illegalOperation, 'too many options');
  return { opcode, file: latin1(packet, 2, fileEnd), mode, options };
}

/** The option pairs of an OACK, the first few where it is too long or has too many. */
export function decodeOack(packet: Uint8Array): readonly OptionView[] {
  return readOptions(packet.subarray(0, maxPacketLength), 2);
}

/** Picks the options that are numbers. What is not a plain decimal number counts as absent. */
export function transferOptions(options: readonly OptionView[]): TransferOptions {
  return {
    blksize: numberOf(options, 'blksize'),
    timeout: numberOf(options, 'timeout'),
    tsize: numberOf(options, 'tsize'),
    windowsize: numberOf(options, 'windowsize'),
  };
}

/** Bytes of payload per block, `blksize2` included, which tftpd-hpa knows beside `blksize`; undefined if neither is a number. */
export function blockSizeOf(options: readonly OptionView[]): number | undefined {
  return numberOf(options, 'blksize') ?? numberOf(options, 'blksize2');
}

/** By name in lower case. An option that stands twice counts with its first value, here and in `transferOptions`. */
export function optionRecord(options: readonly OptionView[]): Record<string, string> {
  const first = options.filter((option, at) => options.findIndex(({ name }) => name === option.name) === at);
  return Object.fromEntries(first.map((option) => [option.name, option.value]));
}

function numberOf(options: readonly OptionView[], name: string): number | undefined {
  const value = options.find((option) => option.name === name)?.value;
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/** Pairs up to the first empty name (padding), the first name without a value (junk), or one too many. */
function readOptions(packet: Uint8Array, from: number): OptionView[] {
  const options: OptionView[] = [];
  let nameStart = from;
  while (nameStart < packet.length && options.length <= maxOptions) {
    const nameEnd = packet.indexOf(0, nameStart);
    if (nameEnd <= nameStart || nameEnd + 1 >= packet.length) break;
    const valueStart = nameEnd + 1;
    const valueEnd = endOfString(packet, valueStart);
    const name = latin1(packet, nameStart, nameEnd).toLowerCase();
    options.push({ name, value: latin1(packet, valueStart, valueEnd), nameStart, valueStart, valueEnd });
    nameStart = valueEnd + 1;
  }
  return options;
}

/** Index of the NUL that ends the string at `start`, or the packet's end where that NUL is missing. */
function endOfString(packet: Uint8Array, start: number): number {
  const end = packet.indexOf(0, start);
  return end < 0 ? packet.length : end;
}
