import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ServerOrder, ServerPlaces } from '../messages.ts';
import { addressesOf, type Network, type ServerSite } from '../network/network.ts';
import { openNetwork } from '../network/open.ts';
import { buildBalancer } from './build.ts';
import { Child, type ChildOptions, hasTaskset } from './child.ts';
import { coresOf, parseCores, place, type Placement } from './cores.ts';

/** A server that runs, and where it serves. */
export interface StagedServer extends ServerSite {
  readonly child: Child;
  readonly places: ServerPlaces;
}

/** Where everything is measured: a network, a generator, servers, cores for each, and a folder for logs. */
export interface Stage {
  readonly network: Network;
  readonly generator: Child;
  readonly servers: readonly StagedServer[];
  readonly placement: Placement;
  /** Whether all programs run before those of others. */
  readonly isUrgent: boolean;
  /** Those of the placement; empty where nothing is pinned. */
  readonly cores: readonly number[];
  readonly folder: string;
  /** The balancer's entry. */
  readonly balancer: string;
}

export interface StageOptions {
  readonly isUrgent: boolean;
  /** Takes lines that tell what is not as it should be. */
  readonly say: (line: string) => void;
}

export async function openStage({ isUrgent, say }: StageOptions): Promise<Stage> {
  const placement = place(hasTaskset ? ownCores() : []);
  const folder = openFolder();
  const balancer = buildBalancer(folder);
  const network = openNetwork(say);
  const servers: StagedServer[] = [];
  for (const site of network.servers) {
    const where = { core: placement.server, namespace: site.namespace, isUrgent };
    servers.push(await startServer(site, network.serverPort, where));
  }
  const where = { core: placement.generator, namespace: network.client.namespace, isUrgent };
  return {
    network,
    generator: startPart('load', [], where),
    servers,
    placement,
    isUrgent,
    cores: coresOf(placement),
    folder,
    balancer,
  };
}

type Where = Omit<ChildOptions, 'stdio'>;

async function startServer(site: ServerSite, port: number, where: Where): Promise<StagedServer> {
  const order: ServerOrder = { addresses: addressesOf(site), port };
  const child = startPart('server', [JSON.stringify(order)], where);
  return { ...site, child, places: await child.next<ServerPlaces>() };
}

/** Removed when this process ends, in whatever way. */
function openFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tftp-lb-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function startPart(name: 'load' | 'server', args: readonly string[], where: Where): Child {
  const entry = path.join(import.meta.dirname, `../${name}.ts`);
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  return new Child(name, process.execPath, [entry, ...args], { ...where, stdio: [...stdio] });
}

/** Those that this process may run on. */
function ownCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCores(/^Cpus_allowed_list:\s*(.*)$/mu.exec(status)?.[1] ?? '');
}
