import { randomFillSync } from 'node:crypto';

/** Numbers that nobody can foretell, uniform in [0, 1) in steps of 2^-32. Drawn in batches: one costs nanoseconds. */
export function createSecureRandom(): () => number {
  const batch = new Uint32Array(256);
  let used = batch.length;
  return () => {
    if (used === batch.length) {
      randomFillSync(batch);
      used = 0;
    }
    return (batch[used++] ?? 0) / 2 ** 32;
  };
}
