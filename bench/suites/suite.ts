import type { Settings } from '../settings.ts';

export interface SuiteResult {
  /** For people. */
  readonly text: string;
  /** For programs: everything that was measured, as it goes into the JSON. */
  readonly data: object;
  readonly documents?: readonly Document[];
}

/** A file of the documentation that shows results. */
export interface Document {
  /** Below the root of the repository. */
  readonly file: string;
  /** Its text with the results, from its text until now; '' where it does not exist. */
  readonly update: (text: string) => string;
}

/** A set of measurements that are made in one run. */
export interface Suite {
  /** `say` takes lines that tell how far it is. */
  run(settings: Settings, say: (line: string) => void): Promise<SuiteResult>;
}
