/** How long the long tests last: TFTPLB_SOAK_SECONDS in all, five minutes if it is not set. */
import { randomInt } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';

const seconds = Number(process.env['TFTPLB_SOAK_SECONDS'] ?? '') || 300;
/** A worker that is not heard of for a minute is taken for dead. Milliseconds. */
const longestStep = 2_000;
/** Enough for any single case of a property. */
const shortestStep = 250;

/** Milliseconds of a part of the budget, which is 1 as a whole. */
export function shareOf(part: number): number {
  return seconds * 1_000 * part;
}

/** Milliseconds that a test with that part may take, its beginning and its end included. */
export function timeoutOf(part: number): number {
  return 3 * shareOf(part) + 120_000;
}

/** How many of `most`, which are for the budget of five minutes: fewer where that is smaller, and no more where it is larger. */
export function countOf(most: number): number {
  return Math.ceil(most * Math.min(1, seconds / 300));
}

/** Calls `step` again and again until `part` of the budget is used up; `left` is how long one call may take. */
export async function forAShare(part: number, step: (left: number) => void | Promise<void>): Promise<void> {
  const end = performance.now() + shareOf(part);
  for (let left = shareOf(part); left > 0; left = end - performance.now()) {
    await step(Math.max(shortestStep, Math.min(left, longestStep)));
    await nextTurn();
  }
}

/** TFTPLB_SOAK_SEED, or any other. */
export function firstSeed(): number {
  const asked = process.env['TFTPLB_SOAK_SEED'] ?? '';
  return asked === '' ? randomInt(2 ** 31) : Number(asked);
}

/**
 * Calls `run` with one seed after the other until `part` of the budget is used up, and gives back how many those were.
 * What it throws says the seed; TFTPLB_SOAK_SEED begins with that one.
 */
export async function forSeeds(part: number, run: (seed: number) => Promise<void>): Promise<number> {
  const first = firstSeed();
  let seed = first;
  await forAShare(part, async () => {
    try {
      await run(seed);
    } catch (error) {
      throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
    seed += 1;
  });
  return seed - first;
}
