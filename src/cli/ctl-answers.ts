/** What the admin endpoints answer, as far as `tftp-lb ctl` looks at it; whoever answers something else is no tftp-lb. */
import { z } from 'zod';

import type { BackendStatus } from '../observe/status.ts';

/** What the columns show of a backend; all else that it says is kept. */
export type ShownBackend = Pick<
  BackendStatus,
  | 'name'
  | 'address'
  | 'port'
  | 'weight'
  | 'configuredWeight'
  | 'effectiveWeight'
  | 'up'
  | 'enabled'
  | 'sessions'
> & { readonly state: string };

export interface StatusAnswer {
  readonly services: readonly { readonly name: string; readonly backends: readonly ShownBackend[] }[];
}

/** Of a takeover. */
export const takeoverAnswer: z.ZodType<{ readonly pid: number }> = z.looseObject({ pid: z.number() });

/** Of an order. */
export interface OrderAnswer {
  readonly service: string;
  readonly changed: boolean;
  readonly backend: ShownBackend;
}

const backend: z.ZodType<ShownBackend> = z.looseObject({
  name: z.string(),
  address: z.string(),
  port: z.number(),
  state: z.string(),
  weight: z.number(),
  configuredWeight: z.number(),
  effectiveWeight: z.number(),
  up: z.boolean(),
  enabled: z.boolean(),
  sessions: z.number(),
});
export const statusAnswer: z.ZodType<StatusAnswer> = z.looseObject({
  services: z.array(z.looseObject({ name: z.string(), backends: z.array(backend) })),
});
export const orderAnswer: z.ZodType<OrderAnswer> = z.looseObject({
  service: z.string(),
  changed: z.boolean(),
  backend,
});
export const reloadAnswer: z.ZodType<{ readonly changes: readonly string[] }> = z.looseObject({
  changes: z.array(z.string()),
});
/** Why a reload was refused. */
export const refusalAnswer: z.ZodType<{ readonly faults: readonly string[] }> = z.looseObject({
  faults: z.array(z.string()),
});
