/** What the balancer should reach beside mod_proxy, and whether it did. */
import type { FtpIdleMemory } from '../questions/ftp-idle-memory.ts';
import type { FtpPathName } from '../paths/ftp-path.ts';
import type { FtpResult } from './ftp-text.ts';
import { median } from './statistics.ts';
import { notableForeign } from './summary.ts';

/** Of mod_proxy's bytes per second: on a par, but for the noise of a run. */
const par = 0.95;
/** Of mod_proxy's logins per second, or mod_proxy's memory in the measure of the balancer's: clearly ahead. */
const clearlyAhead = 2;
/** The idle sessions that the expectation is about. */
const expectedSessions = 500;

/** What each path of the balancer is compared with, and what the two have in common. */
const rivals: Partial<Record<FtpPathName, { readonly name: FtpPathName; readonly common: string }>> = {
  'tftp-lb': { name: 'mod_proxy', common: '' },
  'tftp-lb, both legs': { name: 'mod_proxy, both legs', common: ', both legs' },
};

/** A line for each load and path. */
export function compareWithModProxy(results: readonly FtpResult[]): string[] {
  return results.flatMap((own) => {
    const rival = rivals[own.path];
    const other = results.find(({ task, path }) => task.name === own.task.name && path === rival?.name);
    return rival === undefined || other === undefined ? [] : [compare(own, other, rival.common)];
  });
}

/** The rounds took turns, so that each is compared with the one beside it. */
function compare(own: FtpResult, other: FtpResult, common: string): string {
  const ratios = own.rounds.flatMap((round, at) => {
    const beside = other.rounds[at];
    return beside === undefined ? [] : [round.units / round.seconds / (beside.units / beside.seconds)];
  });
  const ratio = median(ratios);
  const byCpu = other.summary.cost.relay / own.summary.cost.relay;
  const expected = { GiB: par, files: undefined, logins: clearlyAhead }[own.task.unit];
  const isDisturbed = Math.max(own.summary.foreign, other.summary.foreign) >= notableForeign;
  return (
    `${own.task.name}${common}: ${ratio.toFixed(2)} of mod_proxy by ${own.task.unit} per second ` +
    `(${verdict(ratio, expected)}), ${byCpu.toFixed(2)} by the relay's CPU time` +
    (isDisturbed ? ' (disturbed by other programs)' : '')
  );
}

/**
 * The balancer is one process, all of whose pages count. Of mod_proxy's many, a page that they share counts only once,
 * which is the least that can be said of it.
 */
export function judgeFtpMemory(results: readonly FtpIdleMemory[]): string[] {
  const heldBy = (name: FtpPathName): FtpIdleMemory | undefined => results.find(({ path }) => path === name);
  const [own, other] = [heldBy('tftp-lb'), heldBy('mod_proxy')];
  if (own === undefined || other === undefined || own.sessions < expectedSessions) return [];
  const mine = median(own.rounds.map(({ held }) => held.resident));
  const theirs = median(other.rounds.map(({ held }) => held.proportional));
  return [
    `${own.sessions} idle sessions: ${(mine / 1e6).toFixed(0)} MB, and mod_proxy ${(theirs / 1e6).toFixed(0)} MB ` +
      `even if shared pages count once: ${(theirs / mine).toFixed(1)} times as much ` +
      `(${verdict(theirs / mine, clearlyAhead)})`,
  ];
}

function verdict(ratio: number, expected: number | undefined): string {
  if (expected === undefined) return 'nothing was expected';
  return `expected: at least ${expected}, ${ratio >= expected ? 'reached' : 'NOT reached'}`;
}
