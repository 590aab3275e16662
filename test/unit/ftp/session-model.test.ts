import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FtpSessionOptions } from '../../../src/ftp/effects.ts';
import { World } from './session-world.ts';

const options: fc.Arbitrary<Partial<FtpSessionOptions>> = fc.record({
  backendData: fc.constantFrom('passive', 'active', 'client'),
  clientModes: fc.constantFrom('active,passive', 'active,passive', 'passive'),
  isByUser: fc.boolean(),
  maxWaiting: fc.constantFrom(1, 2, 4, 16),
});

const choices = fc.array(fc.nat(100_000), { minLength: 20, maxLength: 300, size: 'max' });

describe('a session in a world where anything may happen', () => {
  it('keeps its promises', () => {
    const results = new Map<string, number>();
    fc.assert(
      fc.property(options, fc.boolean(), choices, (options, isLoggedIn, choices) => {
        const world = new World(options);
        if (isLoggedIn) world.begin();
        for (const choice of choices) world.step(choice);
        world.finish();
        for (const { result } of world.transfers) results.set(result, (results.get(result) ?? 0) + 1);
      }),
      { numRuns: 1_000 },
    );
    expect([...results.keys()]).toEqual(
      expect.arrayContaining(['ok', 'refused', 'client-reset', 'client-abort']),
    );
  });
});
