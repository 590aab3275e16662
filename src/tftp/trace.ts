import type { HostEndpoint } from './host.ts';
import { blockOf, dataHeaderLength, errorMessageOf, Opcode, opcodeOf, transferOpcodeOf } from './packet.ts';
import { decodeOack, decodeRequest, type OptionView } from './request.ts';

/** Sees every packet of an end point. `packet` must not be kept. */
export type Trace = (direction: 'sent' | 'received', packet: Uint8Array, peer: HostEndpoint) => void;

/** A packet in words, on one line and in printable ASCII: `DATA block 7, 512 bytes`. */
export function describePacket(packet: Uint8Array): string {
  switch (opcodeOf(packet)) {
    case Opcode.rrq:
      return describeRequest('RRQ', packet);
    case Opcode.wrq:
      return describeRequest('WRQ', packet);
    default:
      return transferOpcodeOf(packet) === 0 ? malformed(packet) : describeTransferPacket(packet);
  }
}

function describeTransferPacket(packet: Uint8Array): string {
  switch (opcodeOf(packet)) {
    case Opcode.data:
      return `DATA block ${blockOf(packet)}, ${packet.length - dataHeaderLength} bytes`;
    case Opcode.ack:
      return `ACK block ${blockOf(packet)}`;
    case Opcode.error:
      return `ERROR ${blockOf(packet)} ${quoted(errorMessageOf(packet))}`;
    default:
      return `OACK${describeOptions(decodeOack(packet))}`;
  }
}

function describeRequest(name: string, packet: Uint8Array): string {
  try {
    const { file, mode, options } = decodeRequest(packet);
    return `${name} ${quoted(file)} ${mode}${describeOptions(options)}`;
  } catch {
    return malformed(packet);
  }
}

function describeOptions(options: readonly OptionView[]): string {
  return options.map(({ name, value }) => ` ${printable(name)}=${printable(value)}`).join('');
}

function malformed(packet: Uint8Array): string {
  return `malformed, ${packet.length} bytes`;
}

/** A string off the wire, one character a byte, in quotes and with everything escaped that a terminal could obey. */
export function quoted(text: string): string {
  return `"${printable(text.replaceAll(/["\\]/g, String.raw`\$&`))}"`;
}

function printable(text: string): string {
  return text.replaceAll(/[^ -~]/g, (character) => {
    return String.raw`\x${(character.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`;
  });
}
