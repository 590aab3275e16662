/** From a URL to a transfer that has ended, with failures that a user understands. */
import { formatEndpoint, NetError, type Endpoint, type Net } from '../net/net.ts';
import type { TransferReport } from '../tftp/client-transfer.ts';
import { RemoteError, StoreError, TransferError } from '../tftp/errors.ts';
import { ErrorCode, TftpProtocolError } from '../tftp/packet.ts';
import { quoted } from '../tftp/trace.ts';
import { CliError, ExitCode } from './context.ts';
import type { TftpUrl } from './transfer-url.ts';

/** One try. `onAnswered` is to be called before the first byte of the file moves. */
export type Attempt = (server: Endpoint, onAnswered: () => void) => Promise<TransferReport>;

/**
 * Tries the addresses of a URL's host in turn until one can be reached and something listens there. Throws CliError.
 */
export async function runTransfer(url: TftpUrl, net: Net, attempt: Attempt): Promise<TransferReport> {
  const failures: CliError[] = [];
  for (const address of await addressesOf(url, net)) {
    const server = { address, port: url.port };
    let isAnswered = false;
    try {
      return await attempt(server, () => {
        isAnswered = true;
      });
    } catch (error) {
      failures.push(
        new CliError(ExitCode.failed, `${formatEndpoint(address, url.port)}: ${reasonOf(error)}`, {
          cause: error,
        }),
      );
      if (isAnswered || !isUnreachable(error)) break;
    }
  }
  throw new CliError(ExitCode.failed, failures.map(({ message }) => message).join('; '), {
    cause: failures.at(-1)?.cause,
  });
}

async function addressesOf({ host }: TftpUrl, net: Net): Promise<string[]> {
  try {
    return await net.lookup(host);
  } catch (error) {
    throw new CliError(ExitCode.failed, messageOf(error), { cause: error });
  }
}

/** The next address may do. */
function isUnreachable(error: unknown): boolean {
  if (error instanceof NetError) return true;
  const unreachable: readonly string[] = ['TLB_ERR_TFTP_REFUSED', 'TLB_ERR_TFTP_SOCKET'];
  return error instanceof TransferError && unreachable.includes(error.code);
}

const errorNames: ReadonlyMap<number, string> = new Map([
  [ErrorCode.fileNotFound, 'file not found'],
  [ErrorCode.accessViolation, 'access violation'],
  [ErrorCode.diskFull, 'disk full'],
  [ErrorCode.illegalOperation, 'illegal operation'],
  [ErrorCode.unknownTid, 'unknown transfer ID'],
  [ErrorCode.fileExists, 'file exists'],
  [ErrorCode.noSuchUser, 'no such user'],
  [ErrorCode.optionRefused, 'option refused'],
]);

/** What went wrong with a file of the user's own. */
export function localFailure(error: unknown): CliError {
  return new CliError(ExitCode.failed, localReason(error), { cause: error });
}

function localReason(error: unknown): string {
  return messageOf(error instanceof StoreError && error.cause !== undefined ? error.cause : error);
}

function reasonOf(error: unknown): string {
  if (error instanceof RemoteError) return remoteReason(error);
  if (error instanceof TftpProtocolError) return `the server breaks the protocol: ${error.message}`;
  if (error instanceof TransferError && error.code === 'TLB_ERR_TFTP_REFUSED')
    return 'refused: no TFTP server listens there';
  return localReason(error);
}

function remoteReason({ remoteCode, remoteMessage }: RemoteError): string {
  const name = errorNames.get(remoteCode);
  const code = name === undefined ? `ERROR ${remoteCode}` : `ERROR ${remoteCode} (${name})`;
  return remoteMessage === ''
    ? `the server sent ${code}`
    : `the server sent ${code}: ${quoted(remoteMessage)}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
