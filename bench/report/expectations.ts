/** What the portable engine should reach, and whether it did. */
import type { IdleMemory } from '../questions/idle-memory.ts';
import { median } from './statistics.ts';
import { notableForeign, type ThroughputResult } from './summary.ts';

/** Of what nginx relays of the same load. */
const expectedOfNginx = 0.5;
/** The lock-step sessions at which that counts. */
const comparedSessions = 64;
/** Bytes, and the sessions that have to fit in. */
const expectedResident = 200e6;
const expectedSessions = 5_000;

/** A line for each path that nginx can be compared with. */
export function compareWithNginx(results: readonly ThroughputResult[]): string[] {
  const compared = results.filter(
    ({ load }) => load.kind === 'blocks' && load.windowsize === 1 && load.sessions === comparedSessions,
  );
  const nginx = compared.find(({ path }) => path === 'nginx')?.summary;
  if (nginx === undefined) return [];
  return compared
    .filter(({ path }) => path !== 'nginx' && path !== 'direct')
    .map(({ path, summary }) => {
      const ratio = summary.rate / nginx.rate;
      const byCpu = nginx.cost.relay / summary.cost.relay;
      return (
        `${path} at ${comparedSessions} sessions: ${ratio.toFixed(2)} of nginx by blocks per second ` +
        `(expected: at least ${expectedOfNginx}, ${verdict(ratio >= expectedOfNginx)}), ` +
        `${byCpu.toFixed(2)} by the relay's CPU time per block` +
        (Math.max(summary.foreign, nginx.foreign) < notableForeign ? '' : ' (disturbed by other programs)')
      );
    });
}

/** A line for each path with as many sessions as the expectation is about. */
export function judgeMemory(results: readonly IdleMemory[]): string[] {
  return results
    .filter(({ sessions }) => sessions >= expectedSessions)
    .map(({ mode, sessions, rounds }) => {
      const resident = median(rounds.map(({ held }) => held.resident));
      return (
        `${mode} with ${sessions} idle sessions: ${(resident / 1e6).toFixed(0)} MB resident ` +
        `(expected: under ${expectedResident / 1e6} MB, ${verdict(resident < expectedResident)})`
      );
    });
}

function verdict(isReached: boolean): string {
  return isReached ? 'reached' : 'NOT reached';
}
