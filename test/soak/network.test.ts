import { expect, it } from 'vitest';
import { tidModes } from '../fuzz/tid-modes.ts';
import { forSeeds, timeoutOf } from './budget.ts';
import { round } from './round.ts';

const part = 0.2;

it.each(tidModes)(
  'storms pass over a crowd of clients, and nothing is lost, invented or left over (%s)',
  async (_, tids) => {
    const sum = { datagrams: 0, sessions: 0 };
    const rounds = await forSeeds(part, async (seed) => {
      const { datagrams, sessions } = await round(seed, tids);
      sum.datagrams += datagrams;
      sum.sessions += sessions;
    });
    console.log(`${rounds} storms, ${sum.sessions} sessions, ${sum.datagrams} datagrams`);
    expect(sum.sessions).toBeGreaterThan(0);
  },
  timeoutOf(part),
);
