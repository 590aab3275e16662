/**
 * Live traffic never takes out more than half of the backends that requests can go to: what looks like many dead
 * backends is then rather a fault on the way to them, and the rest would not stand the load.
 */
import type { Backend, Pool } from './pool.ts';
import type { Scoreboard } from './scoreboard.ts';

/** Whether the backend with this index may be ejected beside those that are. One that is, may be so again. */
export function mayEject(pool: Pool, scoreboard: Scoreboard, index: number): boolean {
  const contenders = contendersIn(pool, scoreboard);
  if (!contenders.some((backend) => backend.index === index)) return false;
  const others = contenders.filter((other) => other.index !== index && scoreboard.isEjected(other.index));
  return others.length < limitOf(contenders);
}

/** Of those that are `ejected`, the first ones that have to be let in again, as indexes too: others have gone down since. */
export function surplusOf(pool: Pool, scoreboard: Scoreboard, ejected: readonly number[]): number[] {
  const contenders = contendersIn(pool, scoreboard);
  const counted = ejected.filter((index) => contenders.some((backend) => backend.index === index));
  return counted.slice(0, Math.max(0, counted.length - limitOf(contenders)));
}

/** Those that a request can go to: enabled and up, or, where none is up, enabled. */
function contendersIn({ backends }: Pool, scoreboard: Scoreboard): readonly Backend[] {
  const enabled = backends.filter(({ index }) => scoreboard.isEnabled(index));
  const up = enabled.filter(({ index }) => scoreboard.isUp(index));
  return up.length > 0 ? up : enabled;
}

function limitOf(contenders: readonly Backend[]): number {
  return Math.floor(contenders.length / 2);
}
