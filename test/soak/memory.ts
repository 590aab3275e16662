import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes of this process. */
export interface Memory {
  readonly resident: number;
  /** What is reachable, in JavaScript's heap and outside of it. */
  readonly used: number;
}

/** After a full garbage collection. */
export function measure(): Memory {
  if (typeof collect === 'function') collect();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, used: heapUsed + external };
}
