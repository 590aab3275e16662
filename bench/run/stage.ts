import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ServerPorts } from '../messages.ts';
import { buildBalancer } from './build.ts';
import { Child, hasTaskset } from './child.ts';
import { coresOf, parseCores, place, type Placement } from './cores.ts';

/** Where everything is measured: a generator, a server, cores for each, and a folder for logs. */
export interface Stage {
  readonly generator: Child;
  readonly server: Child;
  readonly ports: ServerPorts;
  readonly placement: Placement;
  /** Those of the placement; empty where nothing is pinned. */
  readonly cores: readonly number[];
  readonly folder: string;
  /** The balancer's entry. */
  readonly balancer: string;
}

export async function openStage(): Promise<Stage> {
  const placement = place(hasTaskset ? ownCores() : []);
  const folder = openFolder();
  const balancer = buildBalancer(folder);
  const server = startPart('server', placement.server);
  const ports = await server.next<ServerPorts>();
  const generator = startPart('load', placement.generator);
  return {
    generator,
    server,
    ports,
    placement,
    cores: coresOf(placement),
    folder,
    balancer,
  };
}

/** Removed when this process ends, in whatever way. */
function openFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tftp-lb-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function startPart(name: 'load' | 'server', core: number | undefined): Child {
  const entry = path.join(import.meta.dirname, `../${name}.ts`);
  return new Child(name, process.execPath, [entry], { core, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Those that this process may run on. */
function ownCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCores(/^Cpus_allowed_list:\s*(.*)$/mu.exec(status)?.[1] ?? '');
}
