import { readUserMap, UserMapFileError } from '../app/user-map-file.ts';
import { ConfigError, type Fault } from '../config/fault.ts';
import type { MappedBackends } from '../config/findings.ts';
import type { LoadedConfig } from './config-of.ts';

/** The backends in the user maps of a configuration. Rejects with ConfigError with every map that cannot be used. */
export async function mappedBackends({
  config,
  document,
}: Pick<LoadedConfig, 'config' | 'document'>): Promise<MappedBackends> {
  const mapped = new Map<string, readonly string[]>();
  const faults: Fault[] = [];
  for (const service of config.services) {
    if (service.kind !== 'ftp' || service.userMap === undefined) continue;
    const { name, userMap: value } = service;
    try {
      const users = await readUserMap(value);
      mapped.set(value, [...new Set(users.values())]);
    } catch (error) {
      if (!(error instanceof UserMapFileError)) throw error;
      const source = document.nameOf(['services', name, 'ftp', 'user-map']);
      faults.push({ source, value: undefined, problem: error.message });
    }
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return mapped;
}
