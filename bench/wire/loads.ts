/** The kinds of load, each as a crowd of clients. */
import type { Endpoint } from '../../src/net/net.ts';
import type { Load, LoadCount, LoadEnds } from '../messages.ts';
import { type ClientPort, openOwnPorts, openSharedPorts } from './client-ports.ts';
import { Download, type File } from './download.ts';
import { Latencies } from './latencies.ts';
import type { Port } from './port.ts';
import type { Wire } from './wire.ts';

/** Sessions that open at the same time where thousands are wanted: a listener's receive buffer holds their requests. */
const maxOpening = 64;
/**
 * Sockets whose ports take turns in transfers, on all addresses, so that each rests for a while between two of them:
 * for more than a second, as connection tracking tells transfers apart by them.
 */
const restingSockets = 512;

/** A load while it runs. */
export interface Crowd {
  count(): Omit<LoadCount, 'at'>;
  /** Repeats what has stalled since the last call. */
  sweep(): void;
  stop(): void;
}

/** Starts `load` between `ends`. Throws SyscallError. */
export function startLoad(wire: Wire, load: Load, ends: LoadEnds): Crowd {
  if (load.kind === 'blocks') return startBlocks(wire, ends, load.sessions, load.windowsize);
  if (load.kind === 'transfers') return startTransfers(wire, ends, load.sessions, load.blocks);
  return startIdle(wire, ends, load.sessions);
}

function startBlocks(
  wire: Wire,
  { targets, sources }: LoadEnds,
  sessions: number,
  windowsize: number,
): Crowd {
  const file: File = { kind: 'endless', windowsize };
  const clients: Download[] = [];
  const ports = openOwnPorts(wire, sources, sessions, clients);
  for (const [at, port] of ports.entries()) {
    clients.push(new Download(wire, port, { file, target: targetOf(targets, at) }));
  }
  for (const client of clients) client.read(0);
  return crowdOf(clients, ports, { units: () => sum(clients.map(({ blocks }) => blocks)) });
}

function startTransfers(wire: Wire, { targets, sources }: LoadEnds, sessions: number, blocks: number): Crowd {
  const file: File = { kind: 'blocks', blocks };
  const clients: Download[] = [];
  const ports = openSharedPorts(wire, sources, restingSockets * sources.count, clients);
  const begun = new Float64Array(ports.length);
  const latencies = new Latencies();
  let done = 0;
  let turn = 0;
  const start = (): void => {
    // One that has stalled is left to itself.
    while (clients[turn % ports.length]?.isBusy === true) turn += 1;
    const at = turn % ports.length;
    begun[at] = performance.now();
    clients[at]?.read(turn);
    turn += 1;
  };
  const onEnd = (at: number): void => {
    done += 1;
    latencies.add(performance.now() - (begun[at] ?? 0));
    start();
  };
  for (const [at, port] of ports.entries()) {
    clients.push(new Download(wire, port, { file, target: targetOf(targets, at), onEnd: () => onEnd(at) }));
  }
  for (let session = 0; session < sessions; session++) start();
  return crowdOf(clients, ports, { units: () => done, latencies });
}

function startIdle(wire: Wire, { targets, sources }: LoadEnds, sessions: number): Crowd {
  const clients: Download[] = [];
  const ports = openSharedPorts(wire, sources, sessions, clients);
  let opened = 0;
  let waiting = 0;
  const open = (): void => {
    clients[opened]?.read(0);
    opened += 1;
  };
  const onEnd = (): void => {
    waiting += 1;
    open();
  };
  for (const [at, port] of ports.slice(0, sessions).entries()) {
    clients.push(new Download(wire, port, { file: { kind: 'held' }, target: targetOf(targets, at), onEnd }));
  }
  for (let opening = 0; opening < maxOpening; opening++) open();
  return crowdOf(clients, ports, { units: () => waiting });
}

function targetOf(targets: readonly Endpoint[], at: number): Endpoint {
  const target = targets[at % targets.length];
  if (target === undefined) throw new RangeError('a load needs a target');
  return target;
}

function crowdOf(
  clients: readonly Download[],
  clientPorts: readonly ClientPort[],
  counts: { readonly units: () => number; readonly latencies?: Latencies },
): Crowd {
  const ports: ReadonlySet<Port> = new Set(clientPorts.map(({ port }) => port));
  return {
    count: () => ({
      units: counts.units(),
      repeats: sum(clients.map(({ repeats }) => repeats)),
      errors: sum(clients.map(({ errors }) => errors)),
      latencies: counts.latencies?.counts() ?? [],
    }),
    sweep: () => {
      for (const client of clients) client.sweep();
    },
    stop: () => {
      for (const client of clients) client.stop();
      for (const port of ports) port.close();
    },
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
