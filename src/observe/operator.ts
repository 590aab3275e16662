/** What an operator may ask of the balancer while it runs. */
import type { Order } from '../health/orders.ts';
import type { BackendStatus } from './status.ts';

export interface Operator {
  /** `by` is who asks. The order counts when this returns. */
  order(service: string, backend: string, order: Order, by: string): OrderResult;
  /** Reads the configuration anew; left out where there is nothing that could be read. */
  readonly reload?: ((by: string) => Promise<ReloadResult>) | undefined;
}

export type OrderResult =
  | { readonly kind: 'obeyed'; readonly changed: boolean; readonly backend: BackendStatus }
  /** `known` are those that there are. */
  | { readonly kind: 'unknown-service' | 'unknown-backend'; readonly known: readonly string[] };

export type ReloadResult =
  | { readonly kind: 'reloaded' }
  /** All stays as it was. A line for each fault. */
  | { readonly kind: 'refused'; readonly faults: readonly string[] };
