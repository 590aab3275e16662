import type { Command } from 'commander';

import { ConfigError } from '../config/fault.ts';
import { loadConfig, type Loaded } from '../config/load.ts';
import type { Environment } from '../config/sources.ts';
import { flagValues, strayArguments } from './flags.ts';

export type LoadedConfig = Extract<Loaded, { kind: 'config' }>;

/**
 * The configuration that a command line, its environment and its file amount to. `file` is what stands on the command
 * line in place of --config. Throws ConfigError with every fault of all of them.
 */
export function configOf(command: Command, environment: Environment, file?: string): LoadedConfig {
  const siblings = command.parent?.commands.map((sibling) => sibling.name()) ?? [];
  const flags = flagValues(command);
  const isFile = file !== undefined && !file.startsWith('-') && flags.config === undefined;
  const strays = strayArguments(command, siblings, command.args.slice(isFile ? 1 : 0));
  const loaded = loadConfig({ ...flags, ...(isFile && { config: file }) }, environment);
  if (loaded.kind === 'config' && strays.length === 0) return loaded;
  throw new ConfigError([...strays, ...(loaded.kind === 'faulty' ? loaded.faults : [])]);
}
