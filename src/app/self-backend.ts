import type { FoundBackend } from '../balance/pool.ts';
import type { ListenerSpec } from '../engine/snapshot.ts';
import { formatEndpoint, type LocalAddress } from '../net/net.ts';

/** A backend is the balancer itself: every request would go round until the sessions run out. */
export class SelfBackendError extends Error {
  override readonly name = 'SelfBackendError';
  readonly code = 'TLB_ERR_SELF_BACKEND';

  constructor({ name, address, port }: FoundBackend) {
    super(`backend ${name} is the balancer itself: it listens on ${formatEndpoint(address, port)}`);
  }
}

/** Whether a request to the backend would arrive at one of the listeners. */
export function isOwnListener(
  backend: FoundBackend,
  listeners: readonly ListenerSpec[],
  local: readonly LocalAddress[],
): boolean {
  const isLocal = local.some(({ address }) => address === backend.address);
  const family = backend.address.includes(':') ? '::' : '0.0.0.0';
  return listeners.some(
    ({ address, port }) =>
      port === backend.port && (address === backend.address || (address === family && isLocal)),
  );
}
