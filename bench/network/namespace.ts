/** Network namespaces that the bench makes, each removed by its own name whatever happens. */
import { spawnSync } from 'node:child_process';

const made = new Set<Namespace>();
// Behind the handler of run/child.ts: what runs in a namespace has ended before.
process.once('exit', removeAll);

/** Programs that still run in one of them keep it, without its name. */
export function removeAll(): void {
  for (const namespace of made) namespace.remove();
}

export class Namespace {
  readonly name: string;

  /** Throws where it cannot be made. */
  constructor(name: string) {
    this.name = name;
    command('ip', ['netns', 'add', name]);
    made.add(this);
    this.ip('link', 'set', 'lo', 'up');
  }

  /** Runs ip(8) on it. Throws if that fails. */
  ip(...args: readonly string[]): void {
    command('ip', ['-n', this.name, ...args]);
  }

  /** Runs a program in it. Throws if that fails. */
  run(program: string, args: readonly string[], input = ''): void {
    command('ip', ['netns', 'exec', this.name, program, ...args], input);
  }

  remove(): void {
    made.delete(this);
    spawnSync('ip', ['netns', 'del', this.name]);
  }
}

/** One end of a cable. */
export interface LinkEnd {
  readonly namespace: Namespace;
  /** Interface name. */
  readonly name: string;
  /** All of them in 24-bit networks. */
  readonly addresses: readonly string[];
}

/** Throws if that fails. */
export function link(a: LinkEnd, b: LinkEnd): void {
  const end = ({ namespace, name }: LinkEnd): string[] => ['netns', namespace.name, 'name', name];
  command('ip', ['link', 'add', ...end(a), 'type', 'veth', 'peer', ...end(b)]);
  for (const { namespace, name, addresses } of [a, b]) {
    for (const address of addresses) namespace.ip('address', 'add', `${address}/24`, 'dev', name);
    namespace.ip('link', 'set', name, 'up');
  }
}

function command(program: string, args: readonly string[], input = ''): void {
  const { status, stderr, error } = spawnSync(program, args, { input, encoding: 'utf8' });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr.trim()}`);
}
