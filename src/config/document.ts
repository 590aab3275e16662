/** A configuration before it is understood: what was said, and by whom. */
import type { Fault } from './fault.ts';
import { nodeAt } from './json-schema.ts';
import type { Complaint } from './section.ts';

/** Keys and indexes from the whole to a part. */
export type Path = readonly PropertyKey[];

export interface Document {
  /** As the schema takes it. */
  readonly content: unknown;
  /** What its author is told, in the order of what they wrote. */
  faultsOf(complaints: readonly Complaint[]): Fault[];
  /** What its author calls the place, as messages name it. */
  nameOf(path: Path): string;
}

/** `services.pxe.backends[1].weight` */
export function dotted(path: Path): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '');
}

/** The places that a complaint is about. */
export function placesOf({ path, keys }: Complaint): Path[] {
  return keys.length === 0 ? [path] : keys.map((key) => [...path, key]);
}

export function isSecret(path: Path, content: unknown): boolean {
  return nodeAt(path, content)?.writeOnly === true;
}

/** The problem, with the name of the other key that it speaks of. */
export function problemOf({ path, problem, other }: Complaint, document: Document): string {
  return other === undefined ? problem : `${problem} ${document.nameOf([...path, other])}`;
}
