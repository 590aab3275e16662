/** Programs in a network namespace of their own, for what cannot be had on the host's network. */
import { run } from './processes.ts';
import { strict } from './peers.ts';

const isRoot = process.getuid?.() === 0;
const own = ['--net', ...(isRoot ? [] : ['--map-root-user'])];

async function runIn(setUp: string, command: readonly string[]): ReturnType<typeof run> {
  const script = `ip link set lo up && ${setUp} && exec "$@"`;
  return run({ program: 'unshare', env: {} }, [...own, 'sh', '-c', script, 'sh', ...command]);
}

const { code, stderr } = await runIn('ip link add one type veth peer name other', ['true']);

/** Why there can be none here; undefined if there can. */
export const ownNetworkObstacle: string | undefined =
  code === 0 ? undefined : `no network of one's own can be had (unshare and ip): ${stderr.trim()}`;
/** For skipIf: never true where that must be a failure. */
export const lacksOwnNetwork: boolean = ownNetworkObstacle !== undefined && !strict;

/** What a program of Node prints, as JSON, in a network where the shell command `setUp` was run. */
export async function resultIn(setUp: string, program: URL, ...args: readonly string[]): Promise<unknown> {
  const exit = await runIn(setUp, [process.execPath, program.pathname, ...args]);
  if (exit.code !== 0) throw new Error(`the program failed: ${exit.stderr}${exit.stdout}`);
  return JSON.parse(exit.stdout) as unknown;
}
