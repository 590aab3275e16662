import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ServerOrder, ServerPlaces } from '../messages.ts';
import { addressesOf, type Network, type ServerSite } from '../network/network.ts';
import { openNetwork } from '../network/open.ts';
import { buildBalancer } from './build.ts';
import { Child, hasTaskset } from './child.ts';
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
  /** Those of the placement; empty where nothing is pinned. */
  readonly cores: readonly number[];
  readonly folder: string;
  /** The balancer's entry. */
  readonly balancer: string;
}

/** `say` takes lines that tell what is not as it should be. */
export async function openStage(say: (line: string) => void): Promise<Stage> {
  const placement = place(hasTaskset ? ownCores() : []);
  const folder = openFolder();
  const balancer = buildBalancer(folder);
  const network = openNetwork(say);
  const servers: StagedServer[] = [];
  for (const site of network.servers) servers.push(await startServer(site, network.serverPort, placement));
  return {
    network,
    generator: startPart('load', [], { core: placement.generator, namespace: network.client.namespace }),
    servers,
    placement,
    cores: coresOf(placement),
    folder,
    balancer,
  };
}

async function startServer(site: ServerSite, port: number, { server }: Placement): Promise<StagedServer> {
  const order: ServerOrder = { addresses: addressesOf(site), port };
  const child = startPart('server', [JSON.stringify(order)], { core: server, namespace: site.namespace });
  return { ...site, child, places: await child.next<ServerPlaces>() };
}

/** Removed when this process ends, in whatever way. */
function openFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tftp-lb-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function startPart(
  name: 'load' | 'server',
  args: readonly string[],
  where: { readonly core: number | undefined; readonly namespace: string | undefined },
): Child {
  const entry = path.join(import.meta.dirname, `../${name}.ts`);
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  return new Child(name, process.execPath, [entry, ...args], { ...where, stdio: [...stdio] });
}

/** Those that this process may run on. */
function ownCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCores(/^Cpus_allowed_list:\s*(.*)$/mu.exec(status)?.[1] ?? '');
}
