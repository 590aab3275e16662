import { describe, expect, test } from 'vitest';
import { policies } from '../../src/balance/policies.ts';
import type { PolicyName } from '../../src/engine/snapshot.ts';
import { poolOf } from '../helpers/pools.ts';
import { bytesPerCall, misfit } from './policy-scene.ts';
import { policyContract, type PolicyTraits } from './policy.ts';

const traits: Readonly<Record<PolicyName, PolicyTraits>> = {
  'round-robin': { kind: 'turns' },
  'least-sessions': { kind: 'load' },
  'two-choices': { kind: 'load' },
  'source-hash': { kind: 'key', key: 'client' },
  'file-hash': { kind: 'key', key: 'file' },
  'user-hash': { kind: 'key', key: 'user' },
  first: { kind: 'order' },
};

policyContract('round-robin', traits['round-robin']);
policyContract('least-sessions', traits['least-sessions']);
policyContract('two-choices', traits['two-choices']);
policyContract('source-hash', traits['source-hash']);
policyContract('file-hash', traits['file-hash']);
policyContract('user-hash', traits['user-hash']);
policyContract('first', traits.first);

test('the registry of policies has a contract run for each of its names', () => {
  expect(Object.keys(policies)).toEqual(Object.keys(traits));
});

describe('the measures of the contract', () => {
  test('see shares that are not those of the weights', () => {
    const pool = poolOf([1, 2, 3]);
    const misfitOf = (...counts: number[]): number => misfit(new Map(counts.entries()), pool);
    expect(misfitOf(1_000, 2_000, 3_000)).toBe(0);
    expect(misfitOf(1_040, 2_000, 2_960)).toBeLessThan(1);
    expect(misfitOf(1_150, 2_000, 2_850)).toBeGreaterThan(1);
    expect(misfitOf(2_000, 2_000, 2_000)).toBeGreaterThan(10);
  });

  test('see a call that allocates', () => {
    let last: unknown;
    expect(bytesPerCall(() => (last = [last === undefined]))).toBeGreaterThan(8);
    expect(last).toEqual([false]);
  });
});
