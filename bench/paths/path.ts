import type { LoadEnds } from '../messages.ts';
import type { CpuTime } from '../run/accounting.ts';

export const pathNames = [
  'direct',
  'kernel-nat',
  'kernel-nat-steered',
  'nginx',
  'portable-ephemeral',
  'portable-single-port',
  'linux-ephemeral',
  'linux-single-port',
] as const;
export type PathName = (typeof pathNames)[number];

/** What stands in between. */
export interface Relay {
  /** What it has used until now. */
  cpuTime(): CpuTime;
  stop(): Promise<void>;
}

/** A way from the generator to the servers. */
export interface Path<Name extends string = PathName> {
  readonly name: Name;
  readonly ends: LoadEnds;
  /** Undefined where nothing does, or nothing that can be told from who sends. */
  readonly relay: Relay | undefined;
}
