import type { Endpoint } from '../../src/net/net.ts';
import type { AddressRange } from '../network/network.ts';
import type { Child } from '../run/child.ts';

export const pathNames = [
  'direct',
  'kernel-nat',
  'nginx',
  'portable-ephemeral',
  'portable-single-port',
  'linux-ephemeral',
  'linux-single-port',
] as const;
export type PathName = (typeof pathNames)[number];

/** A way from the generator to the servers. */
export interface Path {
  readonly name: PathName;
  /** Where requests go: sessions take them in turn. */
  readonly targets: readonly Endpoint[];
  /** Addresses for crowds that one has no ports for. */
  readonly sources: AddressRange;
  /** The process that stands in between; undefined where none does. */
  readonly relay: Child | undefined;
}
