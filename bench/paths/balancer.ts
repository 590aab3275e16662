/** The balancer as users run it: a process of its own with its defaults, its log in a file, its metrics served. */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { type Endpoint, formatEndpoint } from '../../src/net/net.ts';
import { loopback } from '../messages.ts';
import { Child } from '../run/child.ts';
import type { Ground, Stage } from '../run/stage.ts';

export type TidMode = 'ephemeral' | 'single-port';
export type Engine = 'portable' | 'linux';

export interface BalancerOptions {
  readonly engine: Engine;
  readonly mode: TidMode;
  readonly backends: readonly Endpoint[];
  /** Threads that serve; 1 is what one core is compared by. */
  readonly workers?: number;
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

/** Starts a balancer of TFTP. */
export async function startBalancer(stage: Stage, options: BalancerOptions): Promise<Balancer> {
  const { engine, mode, backends, workers = 1, flags = [], nodeOptions = [] } = options;
  const own = [
    '--no-ftp',
    '--tftp-port=0',
    ...backends.map(({ address, port }) => `--backend=${formatEndpoint(address, port)}`),
    // Transfers that the generator has left behind are not waited for.
    '--drain-timeout=1s',
    ...(mode === 'single-port' ? ['--single-port'] : []),
    ...(hasFlag(stage, '--engine') ? [`--engine=${engine}`] : []),
    ...(hasFlag(stage, '--workers') ? [`--workers=${workers}`] : []),
    ...flags,
  ];
  const { address, namespace } = stage.network.relay;
  const name = `tftp-lb-${engine}-${mode}-${workers}`;
  const { port, relay } = await launchBalancer(name, own, stage, nodeOptions, {
    address,
    namespace,
    workers,
  });
  return { target: { address, port }, relay };
}

/** Whether the balancer of this stage knows `flag`. */
export function hasFlag({ balancer }: Ground, flag: string): boolean {
  const { stdout } = spawnSync(process.execPath, [balancer, 'serve', '--help'], { encoding: 'utf8' });
  return stdout.includes(`  ${flag} `);
}

interface Placing {
  /** Where it listens. */
  readonly address: string;
  readonly namespace: string | undefined;
  /** Threads that cores are wanted for. */
  readonly workers: number;
}

const onLoopback: Placing = { address: loopback, namespace: undefined, workers: 1 };

/** Starts the balancer with one listener. `nodeOptions` go to Node. */
export async function launchBalancer(
  name: string,
  own: readonly string[],
  { balancer, placement, folder, isUrgent }: Ground,
  nodeOptions: readonly string[],
  { address, namespace, workers }: Placing = onLoopback,
): Promise<{ readonly port: number; readonly relay: Child }> {
  const logFile = path.join(folder, `${name}.log`);
  const log = openSync(logFile, 'w');
  const admin = [`--admin=${loopback}:0`, '--no-admin-socket'];
  const args = [...nodeOptions, balancer, `--vip=${address}`, ...admin, ...own];
  const relay = new Child('tftp-lb', process.execPath, args, {
    core: workers === 1 ? placement.relay : placement.relays,
    namespace,
    isUrgent,
    stdio: ['ignore', log, 'inherit'],
  });
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
