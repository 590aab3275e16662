import { describe, expect, test } from 'vitest';
import { policies } from '../../src/balance/policies.ts';
import { policyContract, type PolicyTraits } from './policy.ts';

const traits: Record<keyof typeof policies, PolicyTraits> = {
  'round-robin': { exactShares: true },
  'least-sessions': { exactShares: false },
};

describe('the registry of policies', () => {
  test('has a contract run for each of its names', () => {
    expect(Object.keys(policies)).toEqual(Object.keys(traits));
  });
});

policyContract('round-robin', policies['round-robin'], traits['round-robin']);
policyContract('least-sessions', policies['least-sessions'], traits['least-sessions']);
