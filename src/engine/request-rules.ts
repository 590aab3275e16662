import {
  defaultBlockSize,
  encodeError,
  ErrorCode,
  maxBlockSize,
  minBlockSize,
  Opcode,
  TftpProtocolError,
} from '../tftp/packet.ts';
import { editRequest, renameRequest } from '../tftp/edit.ts';
import {
  blockSizeOf,
  decodeRequest,
  maxPacketLength,
  type TftpRequest,
  transferOptions,
} from '../tftp/request.ts';
import type { RejectReason } from '../observe/events.ts';
import { type FileFilter, plainName } from './file-filter.ts';
import type { RouteTable } from './routes.ts';
import type { RequestRules } from './snapshot.ts';

/** IP and UDP headers plus the opcode and block number of DATA, for `--max-blksize auto`. */
const overhead = { 4: 32, 6: 52 } as const;

/** What a service says of files. */
export interface FileTraffic {
  readonly files: FileFilter;
  readonly routes: RouteTable;
}

/** Of whom a request came, and where. */
export interface Arrival {
  readonly family: 4 | 6;
  readonly client: string;
  /** That of the VIP's interface, if known. */
  readonly mtu: number | undefined;
}

export type Admission =
  | {
      readonly kind: 'accepted';
      readonly request: TftpRequest;
      readonly forwarded: Uint8Array;
      /** The name in `forwarded`. */
      readonly file: string;
      /** Place of its route, or `noRoute`. */
      readonly route: number;
    }
  | {
      readonly kind: 'rejected';
      readonly reason: RejectReason;
      /** The ERROR packet for the client. */
      readonly answer: Uint8Array;
      readonly file: string | undefined;
    };

/** Reads a request and applies the rules that need no state. */
export function admit(
  packet: Uint8Array,
  rules: RequestRules,
  { files, routes }: FileTraffic,
  { family, client, mtu }: Arrival,
): Admission {
  let request: TftpRequest;
  try {
    request = decodeRequest(packet);
  } catch (error) {
    if (!(error instanceof TftpProtocolError)) throw error;
    return rejected('malformed', encodeError(error.answer, error.message));
  }
  if (climbs(request.file)) {
    return rejected('forbidden-name', denied('file name not allowed'), request.file);
  }
  const name = plainName(request.file);
  if (!files.permits(name)) {
    return rejected('denied-name', denied('file name not allowed'), request.file);
  }
  if (rules.readOnly && request.opcode === Opcode.wrq) {
    return rejected('read-only', denied('writing is not allowed'), request.file);
  }
  const { maxWindowsize, stripMulticast } = rules;
  const maxBlksize = rules.maxBlksize === 'auto' ? blksizeFor(family, mtu) : rules.maxBlksize;
  const forwarded = editRequest(packet, request, { maxBlksize, maxWindowsize, stripMulticast });
  const route = routes.find(request.opcode === Opcode.rrq ? 'read' : 'write', name);
  const file = routes.rewritten(route, request.file, client);
  if (file === request.file) return { kind: 'accepted', request, forwarded, file, route };
  const renamed = renameRequest(forwarded, request, file);
  if (climbs(file) || file === '' || renamed.length > maxPacketLength) {
    return rejected('forbidden-name', denied('file name not allowed'), request.file);
  }
  return { kind: 'accepted', request, forwarded: renamed, file, route };
}

/** Whether a name has a `..` between its slashes or backslashes. */
function climbs(file: string): boolean {
  return file.split(/[/\\]/).includes('..');
}

function blksizeFor(family: 4 | 6, mtu: number | undefined): number | undefined {
  return mtu === undefined
    ? undefined
    : Math.min(maxBlockSize, Math.max(minBlockSize, mtu - overhead[family]));
}

function denied(text: string): Uint8Array {
  return encodeError(ErrorCode.accessViolation, text);
}

function rejected(reason: RejectReason, answer: Uint8Array, file?: string): Admission {
  return { kind: 'rejected', reason, answer, file };
}

/** The kernel doubles what it is asked for: less than that would be below its own default of 212,992 bytes. */
const defaultBuffer = 106_496;
/** A hostile value must not become a hostile buffer; the kernel has a limit of its own as well. */
const maxBuffer = 4_194_304;
/** What the kernel accounts for a datagram beyond its bytes. */
const bookkeeping = 512;

/** Bytes of receive buffer for the window that the client asks for, or undefined where the default is enough. */
export function windowBytes(request: TftpRequest): number | undefined {
  const blksize = blockSizeOf(request.options) ?? defaultBlockSize;
  const { windowsize } = transferOptions(request.options);
  const bytes = (windowsize ?? 1) * (blksize + bookkeeping);
  return bytes > defaultBuffer ? Math.min(bytes, maxBuffer) : undefined;
}
