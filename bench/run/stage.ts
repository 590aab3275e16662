import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ServerPorts } from '../messages.ts';
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

/** Where everything is measured: a generator, a server, cores for each, and a folder for logs. */
export interface Stage extends Ground {
  readonly generator: Child;
  readonly server: Child;
  readonly ports: ServerPorts;
}

export async function openStage(isUrgent: boolean): Promise<Stage> {
  const ground = openGround(isUrgent);
  const server = startPart('server', ground.placement.server, { isUrgent });
  const ports = await server.next<ServerPorts>();
  const generator = startPart('load', ground.placement.generator, { isUrgent });
  return { ...ground, generator, server, ports };
}

export function openGround(isUrgent: boolean): Ground {
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

/** Starts one of the bench's own programs. */
export function startPart(
  name: 'ftp-load' | 'load' | 'server',
  core: number | undefined,
  options: Pick<ChildOptions, 'isUrgent'>,
): Child {
  const entry = path.join(import.meta.dirname, `../${name}.ts`);
  const stdio = ['ignore', 'inherit', 'inherit', 'ipc'] as const;
  return new Child(name, process.execPath, [entry], { core, ...options, stdio: [...stdio] });
}

/** Those that this process may run on. */
function ownCores(): number[] {
  const status = readFileSync('/proc/self/status', 'utf8');
  return parseCores(/^Cpus_allowed_list:\s*(.*)$/mu.exec(status)?.[1] ?? '');
}
