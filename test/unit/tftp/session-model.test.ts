import { describe, it } from 'vitest';
import { bringsAcross, endsRight, findsWhoServes } from './session-model.ts';

describe('a session between two peers on a bad network', () => {
  it('ends once, is ok only where every byte arrived, and lets nothing stray through', () => {
    endsRight({ numRuns: 300 });
  });

  it('brings every byte across while the faults are fewer than the peers’ patience', () => {
    bringsAcross({ numRuns: 200 });
  });

  it('is with another backend when the first ones are silent or lack the file', () => {
    findsWhoServes({ numRuns: 50 });
  });
});
