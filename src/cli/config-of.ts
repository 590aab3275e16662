import type { Command } from 'commander';

import type { Config } from '../config/config.ts';
import { ConfigError } from '../config/fault.ts';
import { loadConfig } from '../config/load.ts';
import type { Environment } from '../config/sources.ts';
import { flagValues, strayArguments } from './flags.ts';

/** The configuration that a command line and its environment amount to. Throws ConfigError with every fault of both. */
export function configOf(command: Command, environment: Environment): Config {
  const siblings = command.parent?.commands.map((sibling) => sibling.name()) ?? [];
  const strays = strayArguments(command, siblings);
  const loaded = loadConfig(flagValues(command), environment);
  if (loaded.kind === 'config' && strays.length === 0) return loaded.config;
  throw new ConfigError([...strays, ...(loaded.kind === 'faulty' ? loaded.faults : [])]);
}
