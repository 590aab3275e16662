/** Does its part of something; gives up when the signal aborts. */
export type Job<T> = (signal: AbortSignal) => Promise<T>;

/**
 * The results of all jobs, in their order, of which `limit` run at a time. The first that fails stops the others, and
 * all have failed for its reason.
 */
export async function together<T>(jobs: readonly Job<T>[], limit: number, signal: AbortSignal): Promise<T[]> {
  const failure = new AbortController();
  const stop = AbortSignal.any([signal, failure.signal]);
  const results: T[] = [];
  const waiting = jobs.entries();
  const work = async (): Promise<void> => {
    for (const [at, job] of waiting) {
      stop.throwIfAborted();
      results[at] = await job(stop);
    }
  };
  try {
    await Promise.all(Array.from({ length: limit }, work));
    return results;
  } catch (error) {
    failure.abort(error);
    throw error;
  }
}
