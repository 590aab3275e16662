/** What kept a figure from being higher. */
import type { Placement } from '../run/cores.ts';
import { notableForeign, type Summary } from './summary.ts';

/** From this share of a core on, whoever has it holds the others up. */
const full = 0.95;

/** Whose cores had nothing to spare. Each is kept to one core. */
export function fullCores({ busy }: Summary, { generator, server }: Placement): string[] {
  const isShared = generator !== undefined && generator === server;
  const parts: readonly (readonly [string, number])[] = isShared
    ? [
        ['relay', busy.relay],
        ['load', busy.generator + busy.server],
      ]
    : Object.entries(busy);
  return parts.filter(([, share]) => share >= full).map(([name]) => name);
}

/** A line where other programs were too busy. */
export function disturbance(summaries: readonly Summary[]): string[] {
  const worst = Math.max(...summaries.map(({ foreign }) => foreign));
  if (worst < notableForeign) return [];
  return [`WARNING: other programs used up to ${percent(worst)} of the cores during a load.`];
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
