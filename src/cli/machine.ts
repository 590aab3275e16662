import type { Machine } from '../config/findings.ts';
import { readSystemLimits } from '../net/limits.ts';
import { localAddresses } from '../net/node-host.ts';

/** The machine that this runs on. */
export function readMachine(): Machine {
  const { descriptors, ephemeralPorts } = readSystemLimits();
  return { descriptors, ephemeralPorts, addresses: localAddresses().map(({ address }) => address) };
}
