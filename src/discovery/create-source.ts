import type { Net } from '../net/net.ts';
import type { BackendSource } from './backend-source.ts';
import { DnsSource, type DnsSourceOptions } from './dns-source.ts';
import { FileSource, type FileSourceOptions } from './file-source.ts';
import type { Files } from './files.ts';
import { HostSource, type HostSourceOptions } from './host-source.ts';

/** Where the backends of a service come from: plain data. */
export type SourceSpec =
  | ({ readonly kind: 'static' } & HostSourceOptions)
  | ({ readonly kind: 'dns' } & DnsSourceOptions)
  | ({ readonly kind: 'file' } & FileSourceOptions);

export interface SourceParts {
  readonly net: Net;
  readonly files: Files;
}

/** Throws DuplicateBackendError. */
export function createBackendSource(spec: SourceSpec, parts: SourceParts): BackendSource {
  if (spec.kind === 'dns') return new DnsSource(parts, spec);
  if (spec.kind === 'file') return new FileSource(parts, spec);
  return new HostSource(parts.net, spec);
}
