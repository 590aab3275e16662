/** One part of a change that can be made: nothing has changed yet. */
export interface Prepared {
  /** Makes it. Does not fail. */
  adopt(): void;
  /** Gives back what it would have needed. */
  cancel(): void;
}

/** Where nothing is to be changed. */
export const unchanged: Prepared = { adopt: () => undefined, cancel: () => undefined };

/** All parts, prepared one after the other, as one. Where one cannot be, those before it are cancelled. */
export async function prepareAll(steps: readonly (() => Promise<Prepared>)[]): Promise<Prepared> {
  const parts: Prepared[] = [];
  const cancel = (): void => {
    for (const part of parts.toReversed()) part.cancel();
  };
  try {
    for (const step of steps) parts.push(await step());
  } catch (error) {
    cancel();
    throw error;
  }
  return {
    adopt: () => {
      for (const part of parts) part.adopt();
    },
    cancel,
  };
}
