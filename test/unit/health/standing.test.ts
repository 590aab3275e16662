import { describe, expect, test } from 'vitest';
import { afterCheck, newStanding, type Thresholds } from '../../../src/health/standing.ts';
import { type ProbeOutcome, probeOutcomes } from '../../../src/observe/events.ts';

const outcomes: Readonly<Record<string, ProbeOutcome>> = { '+': 'alive', '-': 'timeout', '?': 'failed' };

/** `U` or `D` after each check of `checks` (`+` life, `-` none, `?` failed on our side). */
function course(checks: string, thresholds: Thresholds): string {
  let standing = newStanding;
  return checks
    .split('')
    .map((check) => {
      standing = afterCheck(standing, outcomes[check] ?? 'failed', thresholds);
      return standing.isUp ? 'U' : 'D';
    })
    .join('');
}

describe('rise and fall', () => {
  test.each([
    { rise: 2, fall: 3, checks: '++++', course: 'UUUU' },
    { rise: 2, fall: 3, checks: '---', course: 'UUD' },
    { rise: 2, fall: 3, checks: '--+--+---', course: 'UUUUUUUUD' },
    { rise: 2, fall: 3, checks: '----+-++', course: 'UUDDDDDU' },
    { rise: 2, fall: 3, checks: '---++--+---', course: 'UUDDUUUUUUD' },
    { rise: 1, fall: 1, checks: '-+-+', course: 'DUDU' },
    { rise: 3, fall: 1, checks: '-+++-', course: 'DDDUD' },
    { rise: 2, fall: 2, checks: '-?-+?+', course: 'UUDDDU' },
    { rise: 1, fall: 1, checks: '???', course: 'UUU' },
  ])('rise $rise, fall $fall: $checks gives $course', ({ rise, fall, checks, course: expected }) => {
    expect(course(checks, { rise, fall })).toBe(expected);
  });

  test.each(probeOutcomes)('%s alone', (outcome) => {
    const { isUp } = afterCheck(newStanding, outcome, { rise: 1, fall: 1 });
    expect(isUp).toBe(outcome === 'alive' || outcome === 'failed');
  });
});
