/**
 * The few edits that the balancer may make to a request. Only the value concerned changes: order, letter case,
 * unknown options and whatever follows the last one stay as the client sent them, and no option is ever added.
 */
import type { OptionView, TftpRequest } from './request.ts';

export interface RequestEdits {
  /** Bytes of payload. */
  readonly maxBlksize: number | undefined;
  readonly maxWindowsize: number | undefined;
  /** RFC 2090: a group's traffic does not pass through the balancer. */
  readonly stripMulticast: boolean;
}

/** Returns `packet` itself where nothing has to change. */
export function editRequest(packet: Uint8Array, request: TftpRequest, edits: RequestEdits): Uint8Array {
  let result = packet;
  // A client that asked for options waits for an OACK: its only one stays.
  const strips = edits.stripMulticast && request.options.some((option) => option.name !== 'multicast');
  // From the back, so that the offsets in front stay true.
  for (const option of request.options.toReversed()) {
    if (option.name === 'multicast') {
      if (strips) result = splice(result, option.nameStart, option.valueEnd + 1, '');
      continue;
    }
    const value = editedValue(option, edits);
    if (value !== undefined) result = splice(result, option.valueStart, option.valueEnd, value);
  }
  return result;
}

/** The same request for another file, whose name has one character a byte (latin1). */
export function renameRequest(packet: Uint8Array, { file }: TftpRequest, name: string): Uint8Array {
  return splice(packet, 2, 2 + file.length, name);
}

function editedValue(option: OptionView, edits: RequestEdits): string | undefined {
  if (!/^\d{1,15}$/.test(option.value)) return undefined;
  const asked = Number(option.value);
  switch (option.name) {
    case 'blksize':
      return lowered(asked, edits.maxBlksize);
    case 'blksize2':
      return edits.maxBlksize === undefined ? undefined : lowered(asked, powerOfTwoUpTo(edits.maxBlksize));
    case 'windowsize':
      return lowered(asked, edits.maxWindowsize);
    default:
      return undefined;
  }
}

function lowered(asked: number, limit: number | undefined): string | undefined {
  return limit !== undefined && asked > limit ? String(limit) : undefined;
}

function powerOfTwoUpTo(limit: number): number {
  return 2 ** Math.floor(Math.log2(limit));
}

function splice(packet: Uint8Array, start: number, end: number, text: string): Uint8Array {
  return Buffer.concat([packet.subarray(0, start), Buffer.from(text, 'latin1'), packet.subarray(end)]);
}
