import type { Endpoint } from '../net/net.ts';
import { listeningDescriptor } from '../net/listening-descriptor.ts';

/** The sockets of several workers on one address (SO_REUSEPORT). */
export interface ListenerGroup {
  readonly protocol: 'udp' | 'tcp';
  readonly endpoint: Endpoint;
  /** How many they are. */
  readonly size: number;
}

/**
 * Decides how clients are shared out among the sockets of a group. Called when it has all of them: at the start, and
 * whenever one of them was replaced. `descriptor` is that of any one, and options of the group are set through it.
 */
export type SteerGroup = (descriptor: number, group: ListenerGroup) => void;

/** Hands the group to `steer`. Without /proc, or where the group has just gone, clients stay shared out by the system. */
export function steerGroup(steer: SteerGroup, group: ListenerGroup): void {
  const descriptor = listeningDescriptor(group.protocol, group.endpoint);
  if (descriptor !== undefined) steer(descriptor, group);
}
