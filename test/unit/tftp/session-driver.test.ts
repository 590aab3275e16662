import { describe, it } from 'vitest';
import { keepsPromises } from './session-driver.ts';

describe('a session machine that is told anything in any order', () => {
  it('keeps its promises and comes to an end as soon as nothing more happens', () => {
    keepsPromises({ numRuns: 1_500 });
  });
});
