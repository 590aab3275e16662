/**
 * Seeds of the fuzz runs: a run is repeated by its seed alone, which stands in the name of the test that fails.
 * TFTPLB_FUZZ_SEED runs that one and no other.
 */
const only = process.env['TFTPLB_FUZZ_SEED'];

/** The seeds from 1 to `count`, or the one that was asked for. */
export function seeds(count: number): readonly number[] {
  if (only !== undefined && only !== '') return [Number(only)];
  return Array.from({ length: count }, (_, at) => at + 1);
}
