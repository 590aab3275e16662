import type { Config } from '../config/config.ts';
import type { Machine } from '../config/findings.ts';
import { readSystemLimits } from '../net/limits.ts';
import { localAddresses } from '../net/node-host.ts';
import { chooseEngine } from '../runtime/engine-choice.ts';

/** The machine that this runs on, for a process that is to have the engine `wanted`. */
export function readMachine(wanted: Config['engine']): Machine {
  const { descriptors, ephemeralPorts } = readSystemLimits();
  const addresses = localAddresses().map(({ address }) => address);
  // Whether one that is asked for by name works here is said at the start.
  const engine = wanted === 'auto' ? chooseEngine('auto').name : wanted;
  return { descriptors, ephemeralPorts, addresses, engine };
}
