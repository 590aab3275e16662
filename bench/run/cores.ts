/** Which core each side of the bench has to itself, as far as there are enough of them. */

/** A core's number; undefined where the system may choose. */
export interface Placement {
  /** The balancer, or what it is compared with. */
  readonly relay: number | undefined;
  /** For a balancer with a thread for each of several; the relay's alone where the others have none to spare. */
  readonly relays: readonly number[] | undefined;
  readonly generator: number | undefined;
  readonly server: number | undefined;
}

/** The core that others find busy is the relay's own; generator and server share one where there are only two. */
export function place(cores: readonly number[]): Placement {
  const [first, second, third, fourth] = cores;
  if (first === undefined || second === undefined) {
    return { relay: undefined, relays: undefined, generator: undefined, server: undefined };
  }
  return {
    relay: first,
    relays: fourth === undefined ? [first] : [first, fourth],
    generator: second,
    server: third ?? second,
  };
}

/** Each core once. */
export function coresOf({ relays = [], generator, server }: Placement): number[] {
  return [...new Set([...relays, generator, server])].filter((core) => core !== undefined);
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

/** A core as the kernel reads sets of them: hexadecimal, a comma between each 32 bits. */
export function coreMask(core: number): string {
  const words = Math.floor(core / 32);
  return [(2 ** (core % 32)).toString(16), ...Array.from({ length: words }, () => '00000000')].join(',');
}
