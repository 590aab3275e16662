/** What a failure looks like to the user: lines without a stack trace, and an exit code. */
import { CommanderError } from 'commander';

import { ConfigError, faultText } from '../config/fault.ts';
import { CliError, ExitCode } from './context.ts';

export interface Failure {
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/** What to do about it, by the code of the error; the error's own message says what happened. */
const advice: Readonly<Record<string, string>> = {
  TLB_ERR_PERMISSION: `ports below 1024 need a privilege: setcap cap_net_bind_service=+ep ${process.execPath}, AmbientCapabilities=CAP_NET_BIND_SERVICE in a systemd unit, sysctl net.ipv4.ip_unprivileged_port_start=21, or higher ports, as --tftp-port 6969 --ftp-port 2121`,
  TLB_ERR_ADDRESS_IN_USE:
    'stop the program that listens there (ss -lntup names it) or choose another --vip, --tftp-port or --ftp-port',
  TLB_ERR_ADDRESS_NOT_LOCAL:
    'give --vip an address that this host has (ip address shows them), or 0.0.0.0 or ::, which follow addresses that come and go',
  TLB_ERR_SELF_BACKEND: 'give the address or port of the server behind it',
  TLB_ERR_DISCOVERY: 'correct the name or the file that tells of backends, or give their addresses instead',
  TLB_ERR_UNKNOWN_HOST: 'correct the name, make it resolve, or give an address instead',
  TLB_ERR_NO_DESCRIPTORS: 'raise the limit of open files (ulimit -n, LimitNOFILE= in a systemd unit)',
  TLB_ERR_NO_PORTS: 'widen --tid-ports or net.ipv4.ip_local_port_range, or lower --max-sessions',
};

/** What the same command line will meet again, however often it is tried. */
const faultsOfConfiguration: ReadonlySet<string> = new Set([
  'TLB_ERR_SELF_BACKEND',
  'TLB_ERR_DUPLICATE_BACKEND',
  'TLB_ERR_TOO_MANY_BACKENDS',
  'TLB_ERR_ENGINE',
  'TLB_ERR_PASSWORD',
  'TLB_ERR_PROBE_COMMAND',
  'TLB_ERR_ADMIN_TOKEN',
  'TLB_ERR_XFERLOG',
  'TLB_ERR_USER_MAP_FILE',
  'TLB_ERR_CERTIFICATE_FILES',
]);

/** The failure that `error`, whatever was thrown, is to the user; undefined if it only ended a help or version text. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof CommanderError && error.exitCode === 0) return undefined;
  const { lines, exitCode } = describe(error);
  return { lines: lines.map((line) => line.trim().replaceAll(/\s*\n\s*/g, ' ')), exitCode };
}

function describe(error: unknown): Failure {
  if (error instanceof CommanderError) {
    return { lines: [error.message.replace(/^error: /, '')], exitCode: ExitCode.usage };
  }
  if (error instanceof CliError) return { lines: error.lines, exitCode: error.exitCode };
  if (error instanceof ConfigError) return { lines: error.faults.map(faultText), exitCode: ExitCode.usage };
  const code = codeOf(error);
  if (error instanceof Error && code.startsWith('TLB_ERR_')) {
    const exitCode = faultsOfConfiguration.has(code) ? ExitCode.usage : ExitCode.failed;
    return { lines: [withAdvice(error, code)], exitCode };
  }
  return { lines: [`unexpected error: ${withPlace(error)}`], exitCode: ExitCode.failed };
}

function withAdvice(error: Error, code: string): string {
  const hint = advice[code];
  return hint === undefined ? error.message : `${error.message}; ${hint}`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** With the place where it was thrown, which is what a report of a defect needs. */
function withPlace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const place = /\n\s+at (.+)/.exec(error.stack ?? '')?.[1];
  const what = `${error.name}: ${error.message}`;
  return place === undefined ? what : `${what} (at ${place})`;
}
