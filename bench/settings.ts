/** What the command line of the bench says. */
import { parseArgs } from 'node:util';

import type { Timing } from './questions/throughput.ts';

export interface Settings {
  readonly suite: string;
  /** Of each measurement; the figures are medians over them. */
  readonly rounds: number;
  /** Of TFTP; FTP is measured by the file. */
  readonly timing: Timing;
  /** Fewer and smaller loads, and fewer idle sessions. */
  readonly quick: boolean;
  /** The paths that are wanted, and the loads; undefined wants all. Of TFTP. */
  readonly only: readonly string[] | undefined;
  readonly loads: readonly string[] | undefined;
  /** Before all other programs of the machine. */
  readonly isUrgent: boolean;
  /** Where the results go as JSON; undefined leaves the choice to the bench. */
  readonly output: string | undefined;
  /** JSON of an earlier run, which is shown in place of a new one. */
  readonly from: string | undefined;
  /** Whether the documentation shows the results from now on. */
  readonly hasDocs: boolean;
  /** Where CPU profiles of the balancer go; undefined takes none. */
  readonly profiles: string | undefined;
}

/** A command line that makes no sense. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'TLB_ERR_BENCH_USAGE';
}

const options = {
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string', default: '3' },
  seconds: { type: 'string' },
  only: { type: 'string' },
  loads: { type: 'string' },
  urgent: { type: 'boolean', default: false },
  output: { type: 'string' },
  from: { type: 'string' },
  docs: { type: 'boolean', default: false },
  profiles: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

/** Seconds of one count, and in front of it. */
const defaults = { seconds: 1.5, warmup: 0.3 } as const;
const quickDefaults = { seconds: 0.4, warmup: 0.1 } as const;

export const helpText: string = `Usage: npm run bench -- [SUITE] [options]

Measures the balancer on this machine against the same servers reached directly,
through the kernel's NAT (TFTP), and through nginx (TFTP) or ProFTPD with
mod_proxy (FTP) where they are installed. Prints a table and writes all rounds
as JSON. Needs Linux.

Suites:
  tftp              blocks and transfers per second, memory of idle sessions
                    (what happens without a suite); root has it in network
                    namespaces, which are removed at the end, others over
                    loopback, without NAT
  ftp               bytes, small files and logins per second, memory of idle
                    sessions, over loopback; needs vsftpd, and has a GiB in
                    memory
  ftps              the same of bytes and logins under TLS, towards clients and
                    on both sides; needs openssl, too

Options:
  --only PATHS      these paths of TFTP alone, with commas in between
  --loads LOADS     these loads of TFTP alone, with commas in between; a wrong
                    name is answered with the right ones, as it is of paths
  --quick           fewer and smaller loads, fewer idle sessions: for a first
                    impression
  --rounds N        measure everything N times, at least 3 (default: 3)
  --seconds S       length of one count of TFTP (default: ${defaults.seconds}; quick: ${quickDefaults.seconds})
  --urgent          run before all other programs of a machine that has more to
                    do (root's alone)
  --output FILE     where the JSON goes (default: bench/results/SUITE-TIME.json)
  --from FILE       show the results in FILE, of an earlier run, and measure
                    nothing
  --docs            write the results of a suite that has a place in docs/ there
  --profiles DIR    let Node write CPU profiles of the balancer to DIR, which
                    makes it slower
  -h, --help        show this

Two cores at least: the relay runs on one, generator and server on the others
(with taskset). Other programs should rest meanwhile.
`;

/** Undefined where help was asked for. Throws UsageError. */
export function readSettings(args: readonly string[]): Settings | undefined {
  const { values, positionals } = parse(args);
  if (values.help) return undefined;
  if (positionals.length > 1) throw new UsageError('one suite at a time');
  const own = values.quick ? quickDefaults : defaults;
  return {
    suite: positionals[0] ?? 'tftp',
    rounds: numberFrom('--rounds', values.rounds, 3, 100),
    timing: {
      warmup: own.warmup,
      window: values.seconds === undefined ? own.seconds : numberFrom('--seconds', values.seconds, 0.1, 60),
    },
    quick: values.quick,
    only: listFrom(values.only),
    loads: listFrom(values.loads),
    isUrgent: values.urgent,
    output: values.output,
    from: values.from,
    hasDocs: values.docs,
    profiles: values.profiles,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error), { cause: error });
  }
}

function listFrom(text: string | undefined): string[] | undefined {
  return text?.split(',').map((part) => part.trim());
}

function numberFrom(flag: string, text: string, least: number, most: number): number {
  const value = Number(text);
  const isWhole = Number.isInteger(value) || !Number.isInteger(least);
  if (text.trim() !== '' && isWhole && value >= least && value <= most) return value;
  throw new UsageError(`${flag}: expected a number from ${least} to ${most}, not "${text}"`);
}
