import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ServerOrder, ServerPlaces } from '../messages.ts';
import { addressesOf, type Network, type ServerSite } from '../network/network.ts';
import { openNetwork } from '../network/open.ts';
import { buildBalancer } from './build.ts';
import { Child, type ChildOptions, hasTaskset } from './child.ts';
import { coresOf, parseCores, place, type Placement } from './cores.ts';

/** What every suite stands on. */
export interface Ground {
  readonly placement: Placement;
  /** Those of the placement; empty where nothing is pinned. */
  readonly cores: readonly number[];
  /** Whether all programs run before those of others. */
  readonly isUrgent: boolean;
  /** For logs and configuration. */
  readonly folder: string;
  /** The balancer's entry. */
  readonly balancer: string;
}

/** A server that runs, and where it serves. */
export interface StagedServer extends ServerSite {
  readonly child: Child;
  readonly places: ServerPlaces;
}

/** Where everything is measured: a network, a generator, servers, cores for each, and a folder for logs. */
export interface Stage extends Ground {
  readonly network: Network;
  readonly generator: Child;
  readonly servers: readonly StagedServer[];
}

/** `say` takes lines that tell what is not as it should be. */
export async function openStage(isUrgent: boolean, say: (line: string) => void): Promise<Stage> {
  const ground = openGround(isUrgent);
  const { placement } = ground;
  const network = openNetwork(placement.relay, say);
  const servers: StagedServer[] = [];
  for (const site of network.servers) servers.push(await startServer(site, network.serverPort, ground));
  const { namespace } = network.client;
  const generator = startPart('load', placement.generator, { namespace, isUrgent });
  return { ...ground, network, generator, servers };
}

export function openGround(isUrgent: boolean = false): Ground {
  const placement = place(hasTaskset ? ownCores() : []);
  const folder = openFolder(tmpdir());
  const balancer = buildBalancer(folder);
  return { placement, cores: coresOf(placement), isUrgent, folder, balancer };
}

/** A new one in `parent`. Removed when this process ends, in whatever way. */
export function openFolder(parent: string): string {
  const folder = mkdtempSync(path.join(parent, 'tftp-lb-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface PartOptions extends Pick<ChildOptions, 'namespace' | 'isUrgent'> {
  readonly args?: readonly string[];
}

/** Starts one of the bench's own programs. */
export function startPart(
  name: 'ftp-load' | 'load' | 'server',
  core: number | undefined,
  { args = [], ...options }: PartOptions = {},
): Child {
  const entry = path.join(import.meta.dirname, `../${name}.ts`);
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  return new Child(name, process.execPath, [entry, ...args], { core, ...options, stdio: [...stdio] });
}

async function startServer(site: ServerSite, port: number, ground: Ground): Promise<StagedServer> {
  const { placement, isUrgent } = ground;
  const order: ServerOrder = { addresses: addressesOf(site), port };
  const { namespace } = site;
  const args = [JSON.stringify(order)];
  const child = startPart('server', placement.server, { args, namespace, isUrgent });
  return { ...site, child, places: await child.next<ServerPlaces>() };
}

/** Those that this process may run on. */
function ownCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCores(/^Cpus_allowed_list:\s*(.*)$/mu.exec(status)?.[1] ?? '');
}
