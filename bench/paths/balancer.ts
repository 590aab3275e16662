/** The balancer as users run it: a process of its own with its defaults, its log in a file, its metrics served. */
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { loopback } from '../messages.ts';
import { Child } from '../run/child.ts';
import type { Ground, Stage } from '../run/stage.ts';
import type { Path } from './path.ts';

const flags = { ephemeral: [], 'single-port': ['--single-port'] } as const;

export type TidMode = keyof typeof flags;

/** What a line of the log may have. */
interface LogLine {
  readonly msg?: string;
  readonly event?: string;
  readonly listener?: string;
}

/** Starts the balancer in front of the server's ordinary listener. `nodeOptions` go to Node. */
export async function startBalancer(
  mode: TidMode,
  stage: Stage,
  nodeOptions: readonly string[] = [],
): Promise<Path & { readonly relay: Child }> {
  const own = [
    '--no-ftp',
    '--tftp-port=0',
    `--backend=${loopback}:${stage.ports.ordinary}`,
    // Transfers that the generator has left behind are not waited for.
    '--drain-timeout=1s',
    ...flags[mode],
  ];
  return { name: mode, ...(await launchBalancer(`tftp-lb-${mode}`, own, stage, nodeOptions)) };
}

/** Starts the balancer with one listener. `nodeOptions` go to Node. */
export async function launchBalancer(
  name: string,
  own: readonly string[],
  { balancer, placement, folder }: Ground,
  nodeOptions: readonly string[],
): Promise<{ readonly port: number; readonly relay: Child }> {
  const logFile = path.join(folder, `${name}.log`);
  const log = openSync(logFile, 'w');
  const args = [
    ...nodeOptions,
    balancer,
    `--vip=${loopback}`,
    `--admin=${loopback}:0`,
    '--no-admin-socket',
    ...own,
  ];
  const stdio = ['ignore', log, 'inherit'] as const;
  const relay = new Child('tftp-lb', process.execPath, args, { core: placement.relay, stdio: [...stdio] });
  closeSync(log);
  const port = await relay.until('it serves', () => servingPort(readFileSync(logFile, 'utf8')));
  return { port, relay };
}

/** The listener's port, once the log says that clients are served. */
function servingPort(log: string): number | undefined {
  const whole = log.slice(0, log.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter((line) => line !== '');
  const entries = lines.map((line) => JSON.parse(line) as LogLine);
  if (!entries.some(({ msg }) => msg === 'serving')) return undefined;
  const listener = entries.find(({ event }) => event === 'listener.up')?.listener ?? '';
  return Number(listener.slice(listener.lastIndexOf(':') + 1));
}
