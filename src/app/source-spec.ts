import type { ServiceConfig } from '../config/config.ts';
import type { SourceSpec } from '../discovery/create-source.ts';

/** Where the backends of a service come from. */
export function sourceOf({ backends, discovery }: ServiceConfig): SourceSpec {
  const { resolveInterval, emptyGrace, dns, file } = discovery;
  if (dns) return { kind: 'dns', ...dns, emptyGrace };
  if (file) return { kind: 'file', ...file, resolveInterval, emptyGrace };
  return { kind: 'static', backends, interval: resolveInterval };
}
