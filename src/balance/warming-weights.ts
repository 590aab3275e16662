/** The steps in which a backend that warms up comes to its full weight. */
export const warmUpSteps = 8;

/** The largest weight that a pool may have. */
const largest = 256;

/**
 * The weights of a pool some of whose backends count for a part alone: `step` eighths of what they weigh. Only the ratio
 * of weights matters, so all of them are made larger or smaller such that the parts are whole numbers, as far as that
 * can be. A turn of a round robin over them is at most eight times as long as over the weights themselves.
 */
export function warmingWeights(
  backends: readonly { readonly weight: number; readonly step: number }[],
): number[] {
  if (backends.every(({ step }) => step === warmUpSteps)) return backends.map(({ weight }) => weight);
  const divisor = backends.reduce((divisor, { weight }) => greatestCommonDivisor(divisor, weight), 0);
  const heaviest = Math.max(...backends.map(({ weight }) => weight / divisor));
  const factor = [8, 4, 2].find((factor) => heaviest * factor <= largest) ?? 1;
  return backends.map(({ weight, step }) =>
    Math.max(1, Math.round(((weight / divisor) * factor * step) / warmUpSteps)),
  );
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
