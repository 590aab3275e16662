/** `tftp-lb demo`: the balancer at work on loopback, with servers and clients of its own. */
import type { Command } from 'commander';

import type { CliContext } from './context.ts';
import { ExitCode } from './context.ts';
import { DemoLab } from './demo-lab.ts';
import { movedMetrics } from './demo-metrics.ts';
import { planTransfers, runTransfer, type TransferOutcome } from './demo-transfers.ts';
import { formatTable } from './table.ts';
import { formatEndpoint } from '../net/net.ts';

export interface DemoContext extends CliContext {
  readonly version: string;
}

/** Milliseconds after which the demo gives up on transfers that have not ended. */
const patience = 12_000;

const afterword = `
Two TFTP servers, a balancer and 24 clients, all on free ports of the loopback
interface: no privileges, nothing outside a temporary folder is touched.

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
  const files = new Map(plans.filter(({ op }) => op === 'read').map(({ file, content }) => [file, content]));
  const lab = new DemoLab(context.net(), context.version, files);
  try {
    await lab.start();
    context.stdout.write(introduction(lab));
    const signal = AbortSignal.any([context.signal, AbortSignal.timeout(patience)]);
    const before = await scrape(lab);
    const outcomes = await Promise.all(plans.map((plan) => runTransfer(lab, plan, signal)));
    await lab.reported(outcomes.length);
    const after = await scrape(lab);
    context.stdout.write(tableOf(lab, outcomes));
    context.stdout.write(`\nMetrics that moved (${lab.metricsUrl}):\n${movedMetrics(before, after)}`);
    const isGood = conclude(outcomes, context);
    if (!isGood) context.finish(ExitCode.failed);
    if (isKept) await keep(lab, context);
    else context.stdout.write(nextSteps);
  } finally {
    await lab.close();
  }
}

function introduction(lab: DemoLab): string {
  const servers = lab.servers.map(
    ({ name, server }) => `  ${name.padEnd(9)} ${formatEndpoint(server.address, server.port)}\n`,
  );
  const { address, port } = lab.vip;
  return `Servers\n${servers.join('')}Balancer\n  VIP       ${formatEndpoint(address, port)}\n\n`;
}

function tableOf(lab: DemoLab, outcomes: readonly TransferOutcome[]): string {
  const rows = outcomes.map(({ plan, fault }) => {
    const end = lab.ends.get(plan.file);
    const options = Object.entries(end?.granted ?? {}).map(([name, value]) => `${name}=${value}`);
    return [
      plan.file,
      plan.op,
      end?.backend ?? '-',
      plan.mode,
      options.join(' ') || '-',
      String(end?.bytes ?? '-'),
      end ? `${end.duration.toFixed(1)} ms` : '-',
      fault ?? `${end?.result ?? 'no report'}, same SHA-256`,
    ];
  });
  return formatTable([['file', 'op', 'backend', 'mode', 'options', 'bytes', 'time', 'result'], ...rows]);
}

function conclude(outcomes: readonly TransferOutcome[], context: DemoContext): boolean {
  const failed = outcomes.filter(({ fault }) => fault !== undefined).length;
  const verdict =
    failed === 0
      ? `All ${outcomes.length} transfers arrived as they were sent.`
      : `${failed} of ${outcomes.length} transfers failed.`;
  context.stdout.write(`\n${verdict}\n`);
  return failed === 0;
}

async function keep(lab: DemoLab, { signal, stdout }: DemoContext): Promise<void> {
  const vip = formatEndpoint(lab.vip.address, lab.vip.port);
  stdout.write(
    `\nStill running. Try: tftp-lb get --trace tftp://${vip}/image-03.bin -o /dev/null\nCtrl-C ends it.\n`,
  );
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
