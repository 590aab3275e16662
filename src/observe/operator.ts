/** What an operator may ask of the balancer while it runs. */
import type { Order } from '../health/orders.ts';
import type { BackendStatus } from './status.ts';

export interface Operator {
  /** `by` is who asks. The order counts when this returns. */
  order(service: string, backend: string, order: Order, by: string): OrderResult;
  /** Reads the configuration anew, and puts it into force. */
  reload(by: string): Promise<ReloadOutcome>;
  /** The process that listens at the unix socket `path` takes over from this one. How that went is logged. */
  handOver(path: string, by: string): HandOverOutcome;
}

/** `pid` is that of this process. */
export type HandOverOutcome =
  | { readonly kind: 'begun'; readonly pid: number }
  | { readonly kind: 'refused'; readonly reason: string };

export type OrderResult =
  | { readonly kind: 'obeyed'; readonly changed: boolean; readonly backend: BackendStatus }
  /** `known` are those that there are. */
  | { readonly kind: 'unknown-service' | 'unknown-backend'; readonly known: readonly string[] };

/** What became of a configuration that was read while the balancer runs. */
export type ReloadOutcome =
  /** It is in force. A line for each change. */
  | { readonly kind: 'applied'; readonly changes: readonly string[] }
  /** All is as it was before, for these reasons. */
  | { readonly kind: 'refused'; readonly faults: readonly string[] };
