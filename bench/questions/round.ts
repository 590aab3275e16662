/** One count along one path: what arrived, and what each process used for it. */
import type { CpuTime } from '../run/accounting.ts';

export const roles = ['relay', 'generator', 'server'] as const;
export type Role = (typeof roles)[number];

/** What was used until a moment. */
export interface Usage {
  /** Zero for the relay where there is none. */
  readonly cpu: Readonly<Record<Role, CpuTime>>;
  /** CPU seconds of the cores of the bench, whoever used them; 0 where it has none of its own. */
  readonly busy: number;
}

export interface Counts {
  readonly seconds: number;
  /** Blocks, files, or whatever is counted. */
  readonly units: number;
  readonly repeats: number;
  readonly errors: number;
}

export interface Round extends Counts {
  readonly cpu: Readonly<Record<Role, CpuTime>>;
  /** CPU seconds that other programs used on the cores of the bench; 0 where it has none of its own. */
  readonly foreign: number;
}

export const noTime: CpuTime = { user: 0, system: 0 };

export function roundOf(before: Usage, after: Usage, counts: Counts): Round {
  const cpu = {
    relay: spent(before.cpu.relay, after.cpu.relay),
    generator: spent(before.cpu.generator, after.cpu.generator),
    server: spent(before.cpu.server, after.cpu.server),
  };
  const own = Object.values(cpu).reduce((sum, { user, system }) => sum + user + system, 0);
  return { ...counts, cpu, foreign: Math.max(0, after.busy - before.busy - own) };
}

function spent(before: CpuTime, after: CpuTime): CpuTime {
  return { user: after.user - before.user, system: after.system - before.system };
}
