/** How long transfers took, counted in classes that are 2 % wide. */

const classesPerDoubling = 32;
/** Up to a minute, in microseconds. */
const classes: number = Math.ceil(Math.log2(60e6) * classesPerDoubling);

export class Latencies {
  readonly #counts = new Uint32Array(classes);

  /** `time` in milliseconds. */
  add(time: number): void {
    const at = Math.floor(Math.log2(Math.max(1, time * 1_000)) * classesPerDoubling);
    const last = classes - 1;
    this.#counts[Math.min(at, last)] = (this.#counts[Math.min(at, last)] ?? 0) + 1;
  }

  /** A copy: how many were in each class. */
  counts(): number[] {
    return [...this.#counts];
  }
}

/**
 * The time in milliseconds that `share` of the transfers did not exceed, by how many were in each class. Undefined
 * where there were none.
 */
export function percentile(counts: readonly number[], share: number): number | undefined {
  const rank = share * counts.reduce((sum, count) => sum + count, 0);
  if (rank === 0) return undefined;
  let seen = 0;
  const at = counts.findIndex((count) => (seen += count) >= rank);
  return 2 ** ((at + 0.5) / classesPerDoubling) / 1_000;
}
