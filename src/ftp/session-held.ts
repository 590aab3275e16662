import type { Command } from './commands.ts';

/** What a client may say before USER that its backend has to hear, once there is one. */
export const heldVerbs: ReadonlySet<string> = new Set(['HOST', 'CLNT', 'OPTS']);

const maxLines = 16;
const maxBytes = 4_096;

/** Commands that wait for a backend: a bounded number, and each thing that can be said once, as it was said last. */
export class HeldCommands {
  readonly #commands = new Map<string, Command>();

  /** In the order in which they are to be told. */
  get all(): readonly Command[] {
    return [...this.#commands.values()];
  }

  /** False: there is no room for it. */
  add(command: Command): boolean {
    const key = keyOf(command);
    const others = this.all.filter((other) => keyOf(other) !== key);
    const bytes = others.reduce((sum, { text }) => sum + text.length, command.text.length);
    if (others.length >= maxLines || bytes > maxBytes) return false;
    this.#commands.delete(key);
    this.#commands.set(key, command);
    return true;
  }

  clear(): void {
    this.#commands.clear();
  }
}

/** There is one host and one name of a client, but an OPTS for each command (RFC 2389 section 4). */
function keyOf({ verb, argument }: Command): string {
  return verb === 'OPTS' ? `OPTS ${argument.split(' ', 1)[0]?.toUpperCase()}` : verb;
}
