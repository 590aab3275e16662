/** From what was given for the options to what they say, or to what is wrong with it. */
import type { z } from 'zod';

import type { OptionKey, Options } from './options.ts';
import { checked, optionKeys } from './schema.ts';

/** What is wrong with one option, with one entry of a list, or between the options `keys`. */
export interface OptionProblem {
  readonly keys: readonly OptionKey[];
  readonly index: number | undefined;
  /** The end of a sentence that begins with the option. */
  readonly problem: string;
}

export type ReadOptions =
  | { readonly kind: 'sound'; readonly options: Options }
  | { readonly kind: 'faulty'; readonly problems: readonly OptionProblem[] };

/** Reads what is given by option: texts, lists of texts, booleans. What is left out takes its default. */
export function readOptions(given: Readonly<Partial<Record<OptionKey, unknown>>>): ReadOptions {
  const result = checked.safeParse(given);
  if (result.success) return { kind: 'sound', options: result.data };
  return { kind: 'faulty', problems: result.error.issues.map(problemOf) };
}

/** An issue's path is the option, or the options of a rule, and where it is about one entry of a list, its index. */
function problemOf({ path, message }: z.core.$ZodIssue): OptionProblem {
  return {
    keys: optionKeys.filter((key) => path.includes(key)),
    index: path.find((part) => typeof part === 'number'),
    problem: message,
  };
}
