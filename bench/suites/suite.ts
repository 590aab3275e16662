import type { Settings } from '../settings.ts';

export interface SuiteResult {
  /** For people. */
  readonly text: string;
  /** For programs: everything that was measured, as it goes into the JSON. */
  readonly data: object;
}

/** A set of measurements that are made in one run. */
export interface Suite {
  /** `say` takes lines that tell how far it is. */
  run(settings: Settings, say: (line: string) => void): Promise<SuiteResult>;
}
