/**
 * Options of RFC 2347 (blksize RFC 2348, timeout and tsize RFC 2349, windowsize RFC 7440): what a server grants, and
 * what a client may accept.
 */
import { defaultBlockSize, ErrorCode, maxBlockSize, minBlockSize, TftpProtocolError } from './packet.ts';
import { type OptionView, transferOptions, type TransferOptions } from './request.ts';
import type { BlockShape } from './source.ts';

/** Values by option; what is undefined is not asked for, or not granted. */
export type TftpOptions = Partial<TransferOptions>;

export interface OptionLimits {
  readonly maxBlksize: number;
  readonly maxWindowsize: number;
}

/** Bytes of a window: what a receive buffer of Linux can be made to hold without a privilege. */
const maxWindowBytes = 1_048_576;
/** What the system's own receive buffer holds in any case. */
const defaultBuffer = 65_536;

const maxTimeout = 255;
const maxWindowsize = 65535;

/** The option pairs of a packet, in a fixed order. */
export function optionPairs(options: TftpOptions): Record<string, string> {
  const { tsize, blksize, timeout, windowsize } = options;
  const all = Object.entries({ tsize, blksize, timeout, windowsize });
  return Object.fromEntries(
    all.flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]])),
  );
}

/** Block and window size in force with `granted` options. */
export function shapeOf(granted: TftpOptions): BlockShape {
  return { blksize: granted.blksize ?? defaultBlockSize, windowsize: granted.windowsize ?? 1 };
}

/**
 * Bytes of receive buffer so that a whole window of DATA may arrive at once; undefined where the system's default will
 * do. Systems count more than the payload.
 */
export function receiveBufferFor({ blksize, windowsize }: BlockShape): number | undefined {
  const bytes = Math.min(windowsize * (blksize + defaultBlockSize), maxWindowBytes);
  return bytes > defaultBuffer ? bytes * 2 : undefined;
}

/**
 * What a server grants: never more than was asked for, and what has no legal value is passed over as if it were
 * unknown. `size` is the file's, undefined where it cannot be told beforehand.
 */
export function grant(asked: TransferOptions, limits: OptionLimits, size: number | undefined): TftpOptions {
  const blksize = atMost(asked.blksize, minBlockSize, limits.maxBlksize);
  const fitting = Math.max(1, Math.floor(maxWindowBytes / (blksize ?? defaultBlockSize)));
  return {
    blksize,
    timeout: isWithin(asked.timeout, 1, maxTimeout) ? asked.timeout : undefined,
    tsize: asked.tsize === undefined ? undefined : size,
    windowsize: atMost(asked.windowsize, 1, Math.min(limits.maxWindowsize, fitting)),
  };
}

/**
 * What a client may accept in an OACK: options that it asked for, with values that are no larger (`timeout`: the
 * same). Throws TftpProtocolError with ERROR 8 (RFC 2347).
 */
export function acceptGranted(asked: TftpOptions, granted: readonly OptionView[]): TftpOptions {
  const values = transferOptions(granted);
  for (const { name, value } of granted) {
    if (!isAcceptable(name, asked, values)) {
      throw new TftpProtocolError(ErrorCode.optionRefused, `the server granted ${name}=${value}`);
    }
  }
  return values;
}

function isAcceptable(name: string, asked: TftpOptions, granted: TransferOptions): boolean {
  switch (name) {
    case 'blksize':
      return isWithin(granted.blksize, minBlockSize, asked.blksize ?? 0);
    case 'timeout':
      return granted.timeout !== undefined && granted.timeout === asked.timeout;
    case 'tsize':
      return granted.tsize !== undefined && asked.tsize !== undefined;
    case 'windowsize':
      return isWithin(granted.windowsize, 1, asked.windowsize ?? 0);
    default:
      return false;
  }
}

/** Throws RangeError for options that no request may carry. */
export function checkAsked(asked: TftpOptions): void {
  checkRange('blksize', asked.blksize, minBlockSize, maxBlockSize);
  checkRange('timeout', asked.timeout, 1, maxTimeout);
  checkRange('tsize', asked.tsize, 0, Number.MAX_SAFE_INTEGER);
  checkRange('windowsize', asked.windowsize, 1, maxWindowsize);
}

function checkRange(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (Number.isInteger(value) && isWithin(value, least, most))) return;
  throw new RangeError(`${name} ${value} is not a whole number from ${least} to ${most}`);
}

function isWithin(value: number | undefined, least: number, most: number): boolean {
  return value !== undefined && value >= least && value <= most;
}

function atMost(value: number | undefined, least: number, most: number): number | undefined {
  return value === undefined || value < least ? undefined : Math.min(value, most);
}
