import fc from 'fast-check';
import { expect, test } from 'vitest';
import { warmingWeights, warmUpSteps } from '../../../src/balance/warming-weights.ts';

function weightsOf(...backends: readonly (readonly [weight: number, step: number])[]): number[] {
  return warmingWeights(backends.map(([weight, step]) => ({ weight, step })));
}

test('are the weights themselves where nobody warms up', () => {
  expect(weightsOf([3, 8], [256, 8], [6, 8])).toEqual([3, 256, 6]);
  expect(warmingWeights([])).toEqual([]);
});

test.each([
  [
    'equal ones',
    [
      [1, 8],
      [1, 3],
    ],
    [8, 3],
  ],
  [
    'others',
    [
      [3, 8],
      [5, 1],
    ],
    [24, 5],
  ],
  [
    'what they have in common is left out',
    [
      [100, 8],
      [100, 5],
    ],
    [8, 5],
  ],
  [
    'the heaviest has room for a fourth of the steps',
    [
      [40, 8],
      [1, 4],
    ],
    [160, 2],
  ],
] as const)('%s: the parts are exact', (_what, backends, expected) => {
  expect(weightsOf(...backends)).toEqual(expected);
});

test('a weight that is too small beside the others has the least that there is', () => {
  expect(weightsOf([256, 8], [1, 1])).toEqual([256, 1]);
});

test('none is below 1 or above 256, and each ratio is what it should be, as far as whole numbers go', () => {
  const backend = fc.record({
    weight: fc.integer({ min: 1, max: 256 }),
    step: fc.integer({ min: 1, max: warmUpSteps }),
  });
  fc.assert(
    fc.property(fc.array(backend, { minLength: 2, maxLength: 12 }), (backends) => {
      const weights = warmingWeights(backends);
      const wanted = backends.map(({ weight, step }) => (weight * step) / warmUpSteps);
      // All are off by half of one at most, on a common scale.
      const scales = weights.map((weight, at) => weight / (wanted[at] ?? 1));
      const heaviest = wanted.indexOf(Math.max(...wanted));
      for (const [at, weight] of weights.entries()) {
        expect(Number.isInteger(weight) && weight >= 1 && weight <= 256).toBe(true);
        const exact = (wanted[at] ?? 0) * (scales[heaviest] ?? 0);
        expect(Math.abs(weight - exact)).toBeLessThanOrEqual(1.5);
      }
    }),
  );
});
