/**
 * What the system allows this process, for the warning at start when it cannot carry the sessions asked for, and
 * for the range that local ports are taken from.
 */
import { readFileSync } from 'node:fs';
import type { PortSpan } from './port-allocator.ts';

export interface SystemLimits {
  /** Soft limit of open file descriptors; Infinity if there is none, undefined if unknown. */
  readonly descriptors: number | undefined;
  readonly ephemeralPorts: PortSpan;
  /** Ports that the operator keeps for other programs. */
  readonly reservedPorts: readonly PortSpan[];
}

/** The kernel's own default, where it does not tell. */
const defaultEphemeralPorts: PortSpan = { first: 32768, last: 60999 };

export function readSystemLimits(): SystemLimits {
  const ports = '/proc/sys/net/ipv4/ip_local_port_range';
  return {
    descriptors: parseDescriptorLimit(readOrEmpty('/proc/self/limits')),
    ephemeralPorts: parsePortRange(readOrEmpty(ports)) ?? defaultEphemeralPorts,
    reservedPorts: parsePortList(readOrEmpty('/proc/sys/net/ipv4/ip_local_reserved_ports')),
  };
}

/** `text` as in /proc/self/limits. */
export function parseDescriptorLimit(text: string): number | undefined {
  const soft = /^Max open files\s+(\d+|unlimited)\s/m.exec(text)?.[1];
  if (soft === undefined) return undefined;
  return soft === 'unlimited' ? Infinity : Number(soft);
}

/** `text` as in /proc/sys/net/ipv4/ip_local_port_range. */
export function parsePortRange(text: string): PortSpan | undefined {
  const [, low, high] = /^\s*(\d+)\s+(\d+)\s*$/.exec(text) ?? [];
  const [first, last] = [Number(low), Number(high)];
  return first >= 1 && last <= 65535 && first <= last ? { first, last } : undefined;
}

/** `text` as in /proc/sys/net/ipv4/ip_local_reserved_ports: `8080,9148-9150`. */
export function parsePortList(text: string): PortSpan[] {
  return [...text.matchAll(/(\d+)(?:-(\d+))?/g)].map(([, first, last]) => ({
    first: Number(first),
    last: Number(last ?? first),
  }));
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
