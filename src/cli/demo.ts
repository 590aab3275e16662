/** `tftp-lb demo`: the balancer at work on loopback, with servers and clients of its own. */
import type { Command } from 'commander';

import type { CliContext } from './context.ts';
import { ExitCode } from './context.ts';
import { type FtpTransferPlan, planFtpSessions, runFtpSession } from './demo-ftp-transfers.ts';
import { DemoLab, type Protocol } from './demo-lab.ts';
import { movedMetrics } from './demo-metrics.ts';
import { ftpTableOf, introductionOf, tableOf } from './demo-report.ts';
import { type PlannedTransfer, planTransfers, runTransfer } from './demo-transfers.ts';
import { formatEndpoint } from '../net/net.ts';

export interface DemoContext extends CliContext {
  readonly version: string;
}

/** Milliseconds after which the demo gives up on transfers that have not ended. */
const patience = 12_000;

const afterword = `
Two servers of TFTP and FTP, a balancer, 24 TFTP clients and four FTP clients, all on
free ports of the loopback interface: no privileges, nothing outside a temporary
folder is touched.

Examples:
  tftp-lb demo
  tftp-lb demo --keep
`;

export function registerDemo(program: Command, context: DemoContext): Command {
  return program
    .command('demo')
    .description('see the balancer at work, without servers of your own')
    .option('--keep', 'leave servers and balancer running until Ctrl-C, to try clients of your own')
    .addHelpText('after', afterword)
    .action((options: { readonly keep?: true }) => runDemo(options.keep === true, context));
}

async function runDemo(isKept: boolean, context: DemoContext): Promise<void> {
  const plans = planTransfers();
  const sessions = planFtpSessions();
  const lab = new DemoLab(context.net(), context.version);
  try {
    await lab.start(filesOf(plans, sessions.flat()));
    context.stdout.write(introductionOf(lab));
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(patience)]);
    const before = await scrape(lab);
    const [outcomes, ftpOutcomes] = await Promise.all([
      Promise.all(plans.map((plan) => runTransfer(lab, plan, signal))),
      Promise.all((lab.hasFtp ? sessions : []).map((session) => runFtpSession(lab, session, signal))),
    ]);
    const ofFtp = ftpOutcomes.flat();
    await lab.reported(outcomes.length + ofFtp.length);
    const after = await scrape(lab);
    context.stdout.write(tableOf(lab, outcomes));
    if (lab.hasFtp) context.stdout.write(`\n${ftpTableOf(lab, ofFtp)}`);
    context.stdout.write(`\nMetrics that moved (${lab.metricsUrl}):\n${movedMetrics(before, after)}`);
    const isGood = conclude([...outcomes, ...ofFtp], context);
    if (!isGood) context.finish(ExitCode.failed);
    if (isKept) await keep(lab, context);
    else context.stdout.write(nextSteps);
  } finally {
    await lab.close();
  }
}

/** What the servers must have before the transfers begin. */
function filesOf(
  plans: readonly PlannedTransfer[],
  ofFtp: readonly FtpTransferPlan[],
): ReadonlyMap<string, Uint8Array> {
  const reads = plans.filter(({ op }) => op === 'read').map(({ file, content }) => [file, content] as const);
  const downloads = ofFtp.filter(({ command }) => command === 'RETR');
  return new Map([...reads, ...downloads.map(({ path, content }) => [path, content] as const)]);
}

function conclude(
  outcomes: readonly { readonly fault: string | undefined }[],
  context: DemoContext,
): boolean {
  const failed = outcomes.filter(({ fault }) => fault !== undefined).length;
  const verdict =
    failed === 0
      ? `All ${outcomes.length} transfers arrived as they were sent.`
      : `${failed} of ${outcomes.length} transfers failed.`;
  context.stdout.write(`\n${verdict}\n`);
  return failed === 0;
}

async function keep(lab: DemoLab, { signal, stdout }: DemoContext): Promise<void> {
  const at = (protocol: Protocol): string => {
    const { address, port } = lab.vip(protocol);
    return `${protocol}://${formatEndpoint(address, port)}`;
  };
  stdout.write(`\nStill running. Try:\n  tftp-lb get --trace ${at('tftp')}/image-03.bin -o /dev/null\n`);
  if (lab.hasFtp) stdout.write(`  curl ${at('ftp')}/pub/\n`);
  stdout.write('Ctrl-C ends it.\n');
  if (signal.aborted) return;
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

async function scrape(lab: DemoLab): Promise<string> {
  const response = await fetch(lab.metricsUrl);
  return response.text();
}

const nextSteps = `
With servers of your own:
  tftp-lb --vip 0.0.0.0 --backend SERVER --backend OTHER-SERVER
Ports 69 and 21 need a privilege (the README shows how to do without root); --tftp-port 6969 and --ftp-port 2121
need none.
`;
