import type { Child } from '../run/child.ts';

export const pathNames = ['direct', 'ephemeral', 'single-port', 'nginx'] as const;
export type PathName = (typeof pathNames)[number];

/** A way from the generator to the server. */
export interface Path {
  readonly name: PathName;
  /** Where requests go. */
  readonly port: number;
  /** What stands in between; undefined where nothing does. */
  readonly relay: Child | undefined;
}
