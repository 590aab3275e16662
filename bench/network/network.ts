/** Where the parts of the bench are, and at which addresses they reach each other. */

/** IPv4 addresses in a row. */
export interface AddressRange {
  readonly first: string;
  readonly count: number;
}

/** A part of the network with programs of its own; no name where all share one. */
export interface Site {
  readonly namespace: string | undefined;
}

export interface ServerSite extends Site {
  /** For the client itself. */
  readonly direct: string;
  /** For the relay: backends of one machine. */
  readonly behindRelay: readonly string[];
  /** For the kernel's own balancers, one for each. */
  readonly behindNats: readonly string[];
}

/** Where clients reach a balancer. */
export interface MiddleSite extends Site {
  readonly address: string;
  /** Addresses that the client has for this way, for crowds that one address has no ports for. */
  readonly sources: AddressRange;
}

/**
 * Where the kernel's own work is done that the balancing is.
 *
 *   sender   where the kernel does it by itself: on the core of whoever sends, within the system call
 *   relay    on the core that other balancers have (receive packet steering), as if it came from another machine
 */
export type NatPlace = 'sender' | 'relay';

export interface NatSite extends MiddleSite {
  readonly place: NatPlace;
}

export interface Network {
  /** For people. */
  readonly description: string;
  readonly client: Site;
  /** The client's addresses on its way to the servers themselves. */
  readonly directSources: AddressRange;
  readonly relay: MiddleSite;
  /** Where the kernel balances; none where it cannot take part. */
  readonly nats: readonly NatSite[];
  readonly servers: readonly ServerSite[];
  /** The servers' port; 0 where the kernel chooses one for each. */
  readonly serverPort: number;
}

/** Machines behind the balancer. */
export const serverCount = 2;
/** Addresses of each that the relay knows. */
export const addressesPerServer = 4;

/** All addresses of a server. */
export function addressesOf({ direct, behindRelay, behindNats }: ServerSite): string[] {
  return [direct, ...behindRelay, ...behindNats];
}
