/** The paths that this machine, and this balancer, have. */
import type { Stage } from '../run/stage.ts';
import { backendsOf, directTargets } from './backends.ts';
import { type Engine, hasEngines, startBalancer, type TidMode } from './balancer.ts';
import { startNginx } from './nginx.ts';
import { type Path, type PathName, pathNames } from './path.ts';

export interface PathOptions {
  /** Those that are wanted. */
  readonly only: readonly PathName[];
  /** What Node is told about the balancers. */
  readonly nodeOptions: readonly string[];
  /** Takes lines that say why a path is missing. */
  readonly say: (line: string) => void;
}

/** All paths at once: what nobody uses sleeps. */
export async function openPaths(stage: Stage, options: PathOptions): Promise<Path[]> {
  const paths: Path[] = [];
  for (const name of pathNames.filter((name) => options.only.includes(name))) {
    const path = await openPath(name, stage, options);
    if (path) paths.push(path);
  }
  return paths;
}

async function openPath(name: PathName, stage: Stage, options: PathOptions): Promise<Path | undefined> {
  switch (name) {
    case 'direct':
      return direct(stage);
    case 'kernel-nat':
      return kernelNat(stage, options);
    case 'nginx':
      return startNginx(stage, options.say);
    case 'portable-ephemeral':
      return balancerPath(name, 'portable', 'ephemeral', stage, options);
    case 'portable-single-port':
      return balancerPath(name, 'portable', 'single-port', stage, options);
    case 'linux-ephemeral':
      return balancerPath(name, 'linux', 'ephemeral', stage, options);
    case 'linux-single-port':
      return balancerPath(name, 'linux', 'single-port', stage, options);
  }
}

function direct({ servers, network }: Stage): Path {
  const targets = directTargets(servers);
  return { name: 'direct', targets, sources: network.directSources, relay: undefined };
}

function kernelNat({ network }: Stage, { say }: PathOptions): Path | undefined {
  if (network.nat !== undefined) {
    const { address, sources } = network.nat;
    const targets = [{ address, port: network.serverPort }];
    return { name: 'kernel-nat', targets, sources, relay: undefined };
  }
  say('kernel-nat is left out: it needs network namespaces');
  return undefined;
}

async function balancerPath(
  name: PathName,
  engine: Engine,
  mode: TidMode,
  stage: Stage,
  { nodeOptions, say }: PathOptions,
): Promise<Path | undefined> {
  if (engine === 'linux' && !hasEngines(stage.balancer)) {
    say(`${name} is left out: this balancer has no such engine`);
    return undefined;
  }
  const backends = backendsOf(stage.servers);
  const { target, relay } = await startBalancer(stage, { engine, mode, backends, nodeOptions });
  return { name, targets: [target], sources: stage.network.relay.sources, relay };
}
