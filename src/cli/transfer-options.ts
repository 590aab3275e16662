/** The flags that get and put share, and the request that they make. */
import { type Command, InvalidArgumentError, Option } from 'commander';

import type { HostEndpoint } from '../tftp/host.ts';
import { maxBlockSize, minBlockSize } from '../tftp/packet.ts';
import type { TftpRequest } from '../tftp/request.ts';
import type { TransferRequest } from '../tftp/client-transfer.ts';
import type { TftpUrl } from './transfer-url.ts';

export interface TransferArguments {
  readonly mode?: TftpRequest['mode'];
  /** Bytes. */
  readonly blksize?: number;
  /** Blocks. */
  readonly windowsize?: number;
  readonly tsize: boolean;
  /** Seconds. */
  readonly timeout?: number;
  readonly retries: number;
  readonly trace?: true;
}

const defaultTimeout = 1;
const defaultRetries = 5;

export function addTransferOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--mode <mode>', 'transfer mode (default: octet, or the ;mode= of the URL)').choices([
        'octet',
        'netascii',
        'mail',
      ]),
    )
    .option('--blksize <bytes>', 'block size to ask for (RFC 2348)', wholeNumber(minBlockSize, maxBlockSize))
    .option('--windowsize <blocks>', 'blocks per ACK to ask for (RFC 7440)', wholeNumber(1, 65_535))
    .addOption(
      new Option('--tsize', 'ask for the size of the file, or announce it (RFC 2349)').default(true, 'on'),
    )
    .option('--no-tsize', 'leave that out: without other options the request is plain RFC 1350')
    .option(
      '--timeout <seconds>',
      'silence before the first repeat, asked of the server too (RFC 2349) (default: 1, not asked)',
      wholeNumber(1, 255),
    )
    .option(
      '--retries <times>',
      'repeats in a row without an answer before giving up',
      wholeNumber(0, 100),
      defaultRetries,
    )
    .option('--trace', 'print every packet, sent and received, on standard error');
}

/**
 * What the flags ask of `server`. `size` is what a `tsize` option would say; a text has another size on the wire, which
 * nobody knows beforehand.
 */
export function requestOf(
  args: TransferArguments,
  url: TftpUrl,
  server: HostEndpoint,
  size: number | undefined,
): TransferRequest {
  const { blksize, windowsize, timeout, retries } = args;
  const wait = (timeout ?? defaultTimeout) * 1000;
  const mode = modeOf(args, url);
  const tsize = args.tsize && mode === 'octet' ? size : undefined;
  return {
    server,
    file: url.file,
    mode,
    options: {
      ...(blksize === undefined ? {} : { blksize }),
      ...(windowsize === undefined ? {} : { windowsize }),
      ...(timeout === undefined ? {} : { timeout }),
      ...(tsize === undefined ? {} : { tsize }),
    },
    retry: { timeout: wait, retries },
    // A server that waits as long as we do repeats its last block within that time.
    dally: 2 * wait,
  };
}

export function modeOf(args: TransferArguments, url: TftpUrl): TftpRequest['mode'] {
  return args.mode ?? url.mode ?? 'octet';
}

function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (value < least || value > most)
      throw new InvalidArgumentError(`Give a whole number from ${least} to ${most}.`);
    return value;
  };
}
