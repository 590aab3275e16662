/** Hosts of networks that the tests make: network namespaces, with the programs that run in them. */
import { spawnSync } from 'node:child_process';
import { strict } from './peers.ts';
import { Program, run, until } from './processes.ts';

export type CommandLine = readonly [program: string, ...args: string[]];

const isRoot = process.getuid?.() === 0;
const ownNamespaces = ['--net', '--mount', ...(isRoot ? [] : ['--map-root-user'])];
const loopbackUp = 'ip link set lo up';

function findObstacle(): string | undefined {
  const cable = `${loopbackUp} && ip link add one type veth peer name other`;
  const { status, stderr, error } = spawnSync('unshare', [...ownNamespaces, 'sh', '-c', cable], {
    encoding: 'utf8',
  });
  if (status === 0) return undefined;
  return `no network of one's own can be had (unshare and ip): ${error?.message ?? stderr.trim()}`;
}

/** Why there can be no hosts here; undefined if there can. */
export const hostsObstacle: string | undefined = findObstacle();
/** For `describe.skipIf`: never true where hosts that cannot be had must be a failure. */
export const lacksHosts: boolean = hostsObstacle !== undefined && !strict;

/** A host that lives as long as a process that sleeps in its namespaces, which is minutes at most. */
export class Host {
  readonly #holder: Program;
  readonly #enter: CommandLine;

  private constructor([program, ...args]: CommandLine, setUp: string) {
    const script = `${setUp} && echo up && exec sleep 600`;
    this.#holder = new Program({ program, env: {} }, [...args, 'sh', '-c', script]);
    const user = isRoot ? [] : ['--user', '--preserve-credentials'];
    this.#enter = ['nsenter', `--target=${this.pid}`, '--net', '--mount', ...user];
  }

  /** The first of a network, after the shell command `setUp` was run there. */
  static async first(setUp = 'true'): Promise<Host> {
    return new Host(['unshare', ...ownNamespaces], `${loopbackUp} && ${setUp}`).#up();
  }

  /** Another one, which shares everything but the network with this one. */
  async another(): Promise<Host> {
    return new Host(this.on('/', 'unshare', '--net'), loopbackUp).#up();
  }

  get pid(): number {
    return this.#holder.pid ?? 0;
  }

  /** What runs a command on this host, in `folder`. */
  on(folder: string, ...command: readonly string[]): CommandLine {
    return [...this.#enter, 'sh', '-c', 'cd "$0" && exec "$@"', folder, ...command];
  }

  /** Runs a line of shell here, and returns what it wrote. Throws if it fails. */
  async sh(line: string): Promise<string> {
    const exit = await run({ program: 'sh', env: {} }, ['-c', line], { host: this });
    if (exit.code !== 0) throw new Error(`${line}: ${exit.stderr}${exit.stdout}`);
    return exit.stdout;
  }

  async #up(): Promise<this> {
    await said(this.#holder, 'up');
    return this;
  }
}

/** Waits until the output of a program has this word. */
export async function said(program: Program, word: string): Promise<void> {
  await until(`${program.name} says ${word}`, () => {
    const { exit, stdout, stderr } = program;
    if (exit !== undefined) throw new Error(`${program.name} ended: ${stdout}${stderr}`);
    return stdout.includes(word) || undefined;
  });
}

/** The line of shell that brings a device up with these addresses. */
export function addressing(device: string, ipv4: readonly string[], ipv6: readonly string[]): string {
  const add = [
    ...ipv4.map((address) => `ip address add ${address}/24 dev ${device}`),
    // Nobody else has the address: without the search for duplicates it can be used at once.
    ...ipv6.map((address) => `ip address add ${address}/64 dev ${device} nodad`),
  ];
  return [`ip link set ${device} up`, ...add].join(' && ');
}
