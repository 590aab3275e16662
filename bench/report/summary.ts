import { type Role, roles, type Round } from '../questions/round.ts';
import type { CpuTime } from '../run/accounting.ts';
import { median, sum } from './statistics.ts';

/** From this share of the cores on, what other programs use is told of: figures are too low then. */
export const notableForeign = 0.05;

/** Medians over the rounds of one load on one path. */
export interface Summary {
  /** Of whatever is counted, per second. */
  readonly rate: number;
  readonly lowest: number;
  readonly highest: number;
  /** CPU seconds of all rounds. */
  readonly cpu: Readonly<Record<Role, CpuTime>>;
  /** CPU microseconds for each, user and system together. */
  readonly cost: Readonly<Record<Role, number>>;
  /** How much of its core each used: CPU seconds per second. */
  readonly busy: Readonly<Record<Role, number>>;
  readonly repeats: number;
  readonly errors: number;
  /** Share of all cores of the bench that other programs used. */
  readonly foreign: number;
}

/** `cores` is how many the bench has of its own. */
export function summarize(rounds: readonly Round[], cores: number): Summary {
  const rates = rounds.map(({ units, seconds }) => units / seconds);
  const seconds = sum(rounds.map((round) => round.seconds));
  return {
    rate: median(rates),
    lowest: Math.min(...rates),
    highest: Math.max(...rates),
    cpu: byRole((role) => ({
      user: sum(rounds.map(({ cpu }) => cpu[role].user)),
      system: sum(rounds.map(({ cpu }) => cpu[role].system)),
    })),
    cost: byRole((role) => median(rounds.map(({ cpu, units }) => (total(cpu[role]) / units) * 1e6))),
    busy: byRole((role) => median(rounds.map(({ cpu, seconds }) => total(cpu[role]) / seconds))),
    repeats: sum(rounds.map(({ repeats }) => repeats)),
    errors: sum(rounds.map(({ errors }) => errors)),
    foreign: cores === 0 ? 0 : sum(rounds.map(({ foreign }) => foreign)) / (seconds * cores),
  };
}

export function total({ user, system }: CpuTime): number {
  return user + system;
}

function byRole<T>(of: (role: Role) => T): Record<Role, T> {
  return Object.fromEntries(roles.map((role) => [role, of(role)])) as Record<Role, T>;
}
