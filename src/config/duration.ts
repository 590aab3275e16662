/** Durations as operators write them: 500ms, 10s, 1m, 2h; a plain number counts seconds. */

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const units = new Map([
  ['ms', 1],
  ['s', second],
  ['m', minute],
  ['h', hour],
]);

/** Milliseconds, or undefined if the text is no duration or not a whole number of milliseconds. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)?$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const milliseconds = Number(number) * (units.get(unit) ?? Number.NaN);
  const whole = Math.round(milliseconds);
  // 0.1s is 100.00000000000001 to a computer, 0.5ms is a mistake to an operator.
  return Math.abs(milliseconds - whole) < 1e-6 ? whole : undefined;
}

/** The shortest text with one unit that parses back to the same number of milliseconds. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds === 0) return '0';
  if (milliseconds % hour === 0) return `${milliseconds / hour}h`;
  if (milliseconds % minute === 0) return `${milliseconds / minute}m`;
  if (milliseconds % second === 0) return `${milliseconds / second}s`;
  return `${milliseconds}ms`;
}
