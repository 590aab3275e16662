/** The paths that this machine, and this balancer, have. */
import type { NatPlace } from '../network/network.ts';
import { cpuTimeOf, softirqSecondsOf } from '../run/accounting.ts';
import type { Child } from '../run/child.ts';
import type { Stage } from '../run/stage.ts';
import { backendsOf, directTargets } from './backends.ts';
import { type Engine, hasFlag, startBalancer, type TidMode } from './balancer.ts';
import { startNginx } from './nginx.ts';
import { type Path, type PathName, pathNames, type Relay } from './path.ts';

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
    const path = await openers[name](stage, options);
    if (path) paths.push(path);
  }
  return paths;
}

/** The relay that a process is. */
export function relayOf(child: Child): Relay {
  return { cpuTime: () => cpuTimeOf(child.pid), stop: () => child.stop() };
}

type Opener = (stage: Stage, options: PathOptions) => Path | undefined | Promise<Path | undefined>;

const openers: Readonly<Record<PathName, Opener>> = {
  direct,
  'kernel-nat': (stage, options) => kernelNat('kernel-nat', 'sender', stage, options),
  'kernel-nat-steered': (stage, options) => kernelNat('kernel-nat-steered', 'relay', stage, options),
  nginx,
  'portable-ephemeral': (stage, options) => balancer('portable', 'ephemeral', stage, options),
  'portable-single-port': (stage, options) => balancer('portable', 'single-port', stage, options),
  'linux-ephemeral': (stage, options) => balancer('linux', 'ephemeral', stage, options),
  'linux-single-port': (stage, options) => balancer('linux', 'single-port', stage, options),
};

function direct({ servers, network }: Stage): Path {
  const ends = { targets: directTargets(servers), sources: network.directSources };
  return { name: 'direct', ends, relay: undefined };
}

function kernelNat(
  name: PathName,
  place: NatPlace,
  { network, placement }: Stage,
  { say }: PathOptions,
): Path | undefined {
  const nat = network.nats.find((nat) => nat.place === place);
  if (nat === undefined) {
    say(`${name} is left out: it needs network namespaces${place === 'relay' ? ' and two cores' : ''}`);
    return undefined;
  }
  const ends = { targets: [{ address: nat.address, port: network.serverPort }], sources: nat.sources };
  const core = place === 'relay' ? placement.relay : undefined;
  return { name, ends, relay: core === undefined ? undefined : kernelOn(core) };
}

/** What the kernel does on that core apart from any process. */
function kernelOn(core: number): Relay {
  return {
    cpuTime: () => ({ user: 0, system: softirqSecondsOf(core) }),
    stop: () => Promise.resolve(),
  };
}

async function nginx(stage: Stage, { say }: PathOptions): Promise<Path | undefined> {
  const { sources } = stage.network.relay;
  const started = await startNginx(stage, say);
  if (started === undefined) return undefined;
  return { name: 'nginx', ends: { targets: [started.target], sources }, relay: relayOf(started.relay) };
}

async function balancer(
  engine: Engine,
  mode: TidMode,
  stage: Stage,
  { nodeOptions, say }: PathOptions,
): Promise<Path | undefined> {
  const name = `${engine}-${mode}` as const;
  if (engine === 'linux' && !hasFlag(stage, '--engine')) {
    say(`${name} is left out: this balancer has no such engine`);
    return undefined;
  }
  const backends = backendsOf(stage.servers);
  const { target, relay } = await startBalancer(stage, { engine, mode, backends, nodeOptions });
  const { sources } = stage.network.relay;
  return { name, ends: { targets: [target], sources }, relay: relayOf(relay) };
}
