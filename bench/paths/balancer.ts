/** The balancer as users run it: a process of its own with its defaults, its log in a file, its metrics served. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { type Endpoint, formatEndpoint } from '../../src/net/net.ts';
import { Child } from '../run/child.ts';
import type { Stage } from '../run/stage.ts';

export type TidMode = 'ephemeral' | 'single-port';
export type Engine = 'portable' | 'linux';

export interface BalancerOptions {
  readonly engine: Engine;
  readonly mode: TidMode;
  readonly backends: readonly Endpoint[];
  /** More of its flags. */
  readonly flags?: readonly string[];
  /** What Node is told. */
  readonly nodeOptions?: readonly string[];
}

/** What a line of the log may have. */
interface LogLine {
  readonly msg?: string;
  readonly event?: string;
  readonly listener?: string;
}

/** A balancer that serves. */
export interface Balancer {
  readonly target: Endpoint;
  readonly relay: Child;
}

export async function startBalancer(stage: Stage, options: BalancerOptions): Promise<Balancer> {
  const { balancer, placement, folder, network, isUrgent } = stage;
  const { engine, mode, backends, flags = [], nodeOptions = [] } = options;
  const logFile = path.join(folder, `tftp-lb-${engine}-${mode}.log`);
  const log = openSync(logFile, 'w');
  const args = [
    ...nodeOptions,
    balancer,
    `--vip=${network.relay.address}`,
    '--no-ftp',
    '--tftp-port=0',
    ...backends.map(({ address, port }) => `--backend=${formatEndpoint(address, port)}`),
    '--admin=127.0.0.1:0',
    // Transfers that the generator has left behind are not waited for.
    '--drain-timeout=1s',
    ...(mode === 'single-port' ? ['--single-port'] : []),
    ...(hasEngines(balancer) ? [`--engine=${engine}`, '--workers=1'] : []),
    ...flags,
  ];
  const relay = new Child('tftp-lb', process.execPath, args, {
    core: placement.relay,
    namespace: network.relay.namespace,
    isUrgent,
    stdio: ['ignore', log, 'inherit'],
  });
  closeSync(log);
  const port = await relay.until('it serves', () => servingPort(readFileSync(logFile, 'utf8')));
  return { target: { address: network.relay.address, port }, relay };
}

/** Whether `balancer` lets its user choose between engines. */
export function hasEngines(balancer: string): boolean {
  const { stdout } = spawnSync(process.execPath, [balancer, 'serve', '--help'], { encoding: 'utf8' });
  return stdout.includes('--engine ');
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
