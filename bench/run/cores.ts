/** Which core each side of the bench has to itself, as far as there are enough of them. */

/** A core's number; undefined where the system may choose. */
export interface Placement {
  /** The balancer, or what it is compared with. */
  readonly relay: number | undefined;
  readonly generator: number | undefined;
  readonly server: number | undefined;
}

/** The core that others find busy is the relay's own; generator and server share one where there are only two. */
export function place(cores: readonly number[]): Placement {
  const [first, second, third] = cores;
  if (second === undefined) return { relay: undefined, generator: undefined, server: undefined };
  return { relay: first, generator: second, server: third ?? second };
}

/** Each core once. */
export function coresOf({ relay, generator, server }: Placement): number[] {
  return [...new Set([relay, generator, server])].filter((core) => core !== undefined);
}

/** Reads a list as in /proc/self/status: `0-3,8`. */
export function parseCores(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [, first, last] = /^\s*(\d+)(?:-(\d+))?\s*$/u.exec(part) ?? [];
    if (first === undefined) return [];
    return Array.from({ length: Number(last ?? first) - Number(first) + 1 }, (_, at) => Number(first) + at);
  });
}

export function describePlacement({ relay, generator, server }: Placement): string {
  if (relay === undefined) return 'nothing is pinned to a core';
  const load =
    generator === server
      ? `generator and server share core ${generator}`
      : `the generator has core ${generator}, the server core ${server}`;
  return `the relay has core ${relay}, ${load}`;
}
