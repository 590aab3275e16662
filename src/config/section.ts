/** How sections are declared: their keys, what they mean to the balancer, and what they forbid between their keys. */
import { z } from 'zod';

import { didYouMean } from './suggest.ts';

/** A contradiction between keys of one section. It runs where these keys are sound. */
export interface Rule<Said> {
  readonly keys: readonly (keyof Said & string)[];
  /** What is wrong, as the end of a sentence that begins with the keys that are set; undefined if nothing is. */
  find(said: Said): Contradiction | undefined;
}

export interface Contradiction {
  readonly keys: readonly string[];
  readonly problem: string;
  /** A key whose name completes the sentence. */
  readonly other?: string;
}

type Said<Shape extends z.ZodRawShape> = z.output<z.ZodObject<Shape, z.core.$strict>>;

/** Keys that may all be left out, read into `T`. */
export function section<Shape extends z.ZodRawShape, T>(
  shape: Shape,
  read: (said: Said<Shape>) => T,
  rules: readonly Rule<Said<Shape>>[] = [],
): z.ZodPrefault<z.ZodType<T>> {
  const whole: z.ZodType<T> = keys(shape, rules).transform(read);
  return whole.prefault({});
}

/** The keys of a section and no others. */
export function keys<Shape extends z.ZodRawShape>(
  shape: Shape,
  rules: readonly Rule<Said<Shape>>[] = [],
): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  const error = (issue: z.core.$ZodRawIssue): string =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => `unknown key${didYouMean(key, known)}`).join('\n')
      : `expected a section with ${known.join(', ')}`;
  return z.strictObject(shape, { error }).check(...rules.map(asCheck));
}

/** One thing that is wrong, with the way to it from the whole. */
export interface Complaint extends Contradiction {
  /** To the section whose `keys` are meant. */
  readonly path: readonly PropertyKey[];
}

/** What zod says, in our words. */
export function complaintsOf(issue: z.core.$ZodIssue): Complaint[] {
  const { path, message } = issue;
  if (issue.code === 'unrecognized_keys') {
    const problems = message.split('\n');
    return issue.keys.map((key, at) => ({ path, keys: [key], problem: problems[at] ?? message }));
  }
  if (issue.code === 'invalid_key') return [{ path, keys: [], problem: issue.issues[0]?.message ?? message }];
  if (issue.code === 'custom' && isContradiction(issue.params))
    return [{ path, ...issue.params.contradiction }];
  return [{ path, keys: [], problem: message }];
}

/** The same in zod's words, within a schema that is made of others. */
export function issueOf({ path, ...contradiction }: Complaint): z.core.$ZodSuperRefineIssue {
  return { code: 'custom', path: [...path], message: contradiction.problem, params: { contradiction } };
}

function isContradiction(params: unknown): params is { readonly contradiction: Contradiction } {
  return typeof params === 'object' && params !== null && 'contradiction' in params;
}

function asCheck<Said>(rule: Rule<Said>): z.core.$ZodCheck<Said> {
  return z.superRefine<Said>(
    (said, context) => {
      const contradiction = rule.find(said);
      if (contradiction !== undefined) context.addIssue(issueOf({ path: [], ...contradiction }));
    },
    { when: ({ issues }) => !issues.some((issue) => isAbout(rule.keys, issue)) },
  );
}

/** What is no section at all is about all of its keys. */
function isAbout(keys: readonly string[], { code, path: [first] = [] }: z.core.$ZodRawIssue): boolean {
  return (code === 'invalid_type' && first === undefined) || keys.some((key) => key === first);
}
