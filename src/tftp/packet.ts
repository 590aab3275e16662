/**
 * TFTP packets on the wire (RFC 1350 section 5, RFC 2347). Readers look at the bytes where they lie: what is asked
 * for every datagram returns a number and allocates nothing.
 *
 *            2 bytes     string    1 byte     string   1 byte     option pairs (RFC 2347)
 *           ------------------------------------------------------------------------------
 * RRQ, WRQ | 01 / 02  |  name  |   0  |    mode    |   0  |  opt1 | 0 | value1 | 0 | ...  |
 *           ------------------------------------------------------------------------------
 *            2 bytes    2 bytes     n bytes
 *           -----------------------------------
 * DATA     |   03     |  block  |   payload    |
 * ACK      |   04     |  block  |
 * ERROR    |   05     |  code   |  message | 0 |
 *           -----------------------------------
 *            2 bytes
 *           -----------------------------------
 * OACK     |   06     |  opt1 | 0 | value1 | 0 | ...
 *           -----------------------------------
 */

export const Opcode = { rrq: 1, wrq: 2, data: 3, ack: 4, error: 5, oack: 6 } as const;

/** RFC 1350 appendix and RFC 2347. */
export const ErrorCode = {
  notDefined: 0,
  fileNotFound: 1,
  accessViolation: 2,
  diskFull: 3,
  illegalOperation: 4,
  unknownTid: 5,
  fileExists: 6,
  noSuchUser: 7,
  optionRefused: 8,
} as const;

/** Bytes in front of a DATA packet's payload. */
export const dataHeaderLength = 4;
/** Block size where none was granted (RFC 1350 section 2). */
export const defaultBlockSize = 512;
/** RFC 2348. */
export const minBlockSize = 8;
export const maxBlockSize = 65464;

const text = { encode: (s: string): Uint8Array => Buffer.from(s, 'latin1') };

/**
 * A packet that breaks the protocol. `answer` is the ERROR code for the peer that sent it.
 */
export class TftpProtocolError extends Error {
  override readonly name = 'TftpProtocolError';
  readonly code = 'TLB_ERR_TFTP_PROTOCOL';
  readonly answer: number;

  constructor(answer: number, message: string) {
    super(message);
    this.answer = answer;
  }
}

/** The opcode of any packet, or 0 if there is none that TFTP knows. */
export function opcodeOf(packet: Uint8Array): number {
  if (packet.length < 2 || packet[0] !== 0) return 0;
  const opcode = packet[1] ?? 0;
  return opcode <= Opcode.oack ? opcode : 0;
}

/**
 * The opcode of a packet of a running transfer (DATA, ACK, ERROR, OACK) that is long enough to be one, else 0.
 * Four bytes are enough: curl sends ERROR without a message.
 */
export function transferOpcodeOf(packet: Uint8Array): number {
  const opcode = opcodeOf(packet);
  return opcode >= Opcode.data && packet.length >= 4 ? opcode : 0;
}

/** An ERROR is never answered with an ERROR. */
export function isError(packet: Uint8Array): boolean {
  return transferOpcodeOf(packet) === Opcode.error;
}

/** The block number of DATA and ACK, the code of ERROR. The packet has 4 bytes at least. */
export function blockOf(packet: Uint8Array): number {
  return ((packet[2] ?? 0) << 8) | (packet[3] ?? 0);
}

/** The message of an ERROR packet, one character a byte; a missing last NUL is forgiven. */
export function errorMessageOf(packet: Uint8Array): string {
  const end = packet.indexOf(0, 4);
  return latin1(packet, 4, end < 0 ? packet.length : end);
}

export function encodeData(block: number, payload: Uint8Array): Uint8Array {
  const packet = new Uint8Array(dataHeaderLength + payload.length);
  packet[1] = Opcode.data;
  packet[2] = block >> 8;
  packet[3] = block & 0xff;
  packet.set(payload, dataHeaderLength);
  return packet;
}

export function encodeAck(block: number): Uint8Array {
  return Uint8Array.of(0, Opcode.ack, block >> 8, block & 0xff);
}

/** `message` is sent as latin1; a NUL in it would end it early and is refused with a RangeError. */
export function encodeError(code: number, message: string): Uint8Array {
  if (message.includes('\0')) throw new RangeError('an ERROR message has no NUL');
  const body = text.encode(message);
  const packet = new Uint8Array(5 + body.length);
  packet[1] = Opcode.error;
  packet[2] = code >> 8;
  packet[3] = code & 0xff;
  packet.set(body, 4);
  return packet;
}

/** Options keep the order of their keys; names and values are sent as latin1. */
export function encodeOack(options: Readonly<Record<string, string>>): Uint8Array {
  return withStrings(Opcode.oack, Object.entries(options).flat());
}

/** `file` one character a byte (latin1). A NUL in any part is refused with a RangeError. */
export function encodeRequest(
  opcode: typeof Opcode.rrq | typeof Opcode.wrq,
  file: string,
  mode: string,
  options: Readonly<Record<string, string>> = {},
): Uint8Array {
  return withStrings(opcode, [file, mode, ...Object.entries(options).flat()]);
}

function withStrings(opcode: number, strings: readonly string[]): Uint8Array {
  if (strings.some((s) => s.includes('\0'))) throw new RangeError('a TFTP string has no NUL');
  const body = text.encode(strings.map((s) => `${s}\0`).join(''));
  const packet = new Uint8Array(2 + body.length);
  packet[1] = opcode;
  packet.set(body, 2);
  return packet;
}

/** Bytes `start` to `end` of a packet, one character a byte. */
export function latin1(packet: Uint8Array, start: number, end: number): string {
  const part = packet.subarray(start, end);
  return Buffer.from(part.buffer, part.byteOffset, part.length).toString('latin1');
}
