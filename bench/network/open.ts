import { loopbackNetwork } from './loopback.ts';
import { namespaceNetwork } from './namespaces.ts';
import type { Network } from './network.ts';

/**
 * In namespaces where this process may make them, else over loopback; `say` is told why. `relayCore` is the balancer's;
 * undefined where it has none of its own.
 */
export function openNetwork(relayCore: number | undefined, say: (line: string) => void): Network {
  if (process.getuid?.() !== 0) return loopbackNetwork('root could have had network namespaces');
  try {
    return namespaceNetwork(relayCore);
  } catch (error) {
    say(`no network namespaces: ${error instanceof Error ? error.message : String(error)}`);
    return loopbackNetwork('network namespaces could not be made');
  }
}
