/**
 * FEAT's reply (RFC 2389 section 3.2), rewritten to what a client can use through us:
 *
 *   211-Extensions supported:
 *    MLST size*;type*;perm*;
 *    SIZE
 *   211 END
 */
import type { Reply } from './replies.ts';

export interface FeatureChanges {
  /** Names in upper case. */
  readonly removed: ReadonlySet<string>;
  /** Features that we have whatever the backend has. */
  readonly added: ReadonlySet<string>;
  /** Whole lines of ours, in place of whatever the backend has under their names. */
  readonly own?: readonly string[];
}

/** Some servers repeat the code in each line. */
const featureForm = /^((?:211-)?\s*)([a-z0-9@]+)/i;

/** A reply that is no list of features, such as 500, stays as it is. */
export function rewriteFeatures(reply: Reply, changes: FeatureChanges): Reply {
  if (reply.code !== 211) return reply;
  const { own = [] } = changes;
  const replaced = new Set(own.map(nameOf));
  const isKept = (name: string): boolean => !changes.removed.has(name) && !replaced.has(name);
  const kept = reply.lines.slice(1, -1).filter((line) => isKept(nameOf(line)));
  const names = new Set(kept.map(nameOf));
  const missing = [...changes.added].filter((name) => !names.has(name) && !changes.removed.has(name));
  const features = [...kept, ...[...missing, ...own].map((line) => `${indentation(kept)}${line}`)];
  if (features.length === 0) return { code: 211, lines: ['211 No features'] };
  const [first, last] = frameOf(reply);
  return { code: 211, lines: [first, ...features, last] };
}

/** The lines around the features. A reply of one line says that there are none. */
function frameOf(reply: Reply): [string, string] {
  const [first = '', ...more] = reply.lines;
  return [more.length > 0 ? first : '211-Features:', more.at(-1) ?? '211 End'];
}

function nameOf(line: string): string {
  return featureForm.exec(line)?.[2]?.toUpperCase() ?? '';
}

function indentation(features: readonly string[]): string {
  for (const line of features) {
    const front = featureForm.exec(line)?.[1];
    if (front !== undefined) return front;
  }
  return ' ';
}
