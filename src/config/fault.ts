/** One thing that is wrong with the configuration, said so that its author can mend it. */
export interface Fault {
  /** Where it was said: a flag, a variable, a line and column of a file, or both sides of a contradiction. */
  readonly source: string;
  /** The text that was given, where one was. */
  readonly value: string | undefined;
  /** What is wrong or what is expected, as the end of a sentence. */
  readonly problem: string;
}

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'TLB_ERR_CONFIG';
  readonly faults: readonly Fault[];

  constructor(faults: readonly Fault[], options?: ErrorOptions) {
    super(faults.map(faultText).join('\n'), options);
    this.faults = faults;
  }
}

/** The longest value that is quoted in full: a line of a terminal or two. */
const maxQuoted = 160;

/** The fault in one line. Control characters of the value are escaped. */
export function faultText(fault: Fault): string {
  if (fault.value === undefined) return `${fault.source}: ${fault.problem}`;
  const value = fault.value.length > maxQuoted ? `${fault.value.slice(0, maxQuoted)}...` : fault.value;
  return `${fault.source} ${JSON.stringify(value)}: ${fault.problem}`;
}
