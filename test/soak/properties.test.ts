/** What holds for some hundred cases in the unit tests, for as long as there is time. */
import { describe, expect, it } from 'vitest';
import { scenes } from '../fuzz/scenes.ts';
import { tidModes } from '../fuzz/tid-modes.ts';
import { keepsPromises } from '../unit/tftp/session-driver.ts';
import { bringsAcross, endsRight, findsWhoServes, type Runs } from '../unit/tftp/session-model.ts';
import { forAShare, forSeeds, timeoutOf } from './budget.ts';
import { editsOnlyValues, readsAnything, readsWhatItWrote } from './codec.ts';

const propertyPart = 0.025;
const scenePart = 0.02;

const properties: readonly (readonly [name: string, check: (runs: Runs) => void])[] = [
  ['a session between two peers ends once and is ok only where every byte arrived', endsRight],
  ['every byte gets across while faults are fewer than the peers have patience', bringsAcross],
  ['a read finds the backend that serves it', findsWhoServes],
  ['a session machine keeps its promises whatever it is told', keepsPromises],
  ['any bytes can be read, and nothing but the protocol error is thrown', readsAnything],
  ['a request is read as it was written', readsWhatItWrote],
  ['an edit changes values and nothing else', editsOnlyValues],
];

describe('for a long time', () => {
  it.each(properties)(
    '%s',
    async (_, check) => {
      await forAShare(propertyPart, (left) =>
        check({ numRuns: 1_000_000_000, interruptAfterTimeLimit: left }),
      );
    },
    timeoutOf(propertyPart),
  );

  describe.each(tidModes)('%s', (_, tids) => {
    it.each(scenes)(
      '%s',
      async (_, scene) => {
        const runs = await forSeeds(scenePart, (seed) => scene(seed, tids));
        expect(runs).toBeGreaterThan(0);
      },
      timeoutOf(scenePart),
    );
  });
});
