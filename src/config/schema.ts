/**
 * The one schema: every key of the configuration, what it takes, what it falls back to and what it means. The file,
 * flags, environment variables, help, docs and the JSON schema of editors all follow from here; src/config/sections has
 * one file for each concern.
 */
import type { z } from 'zod';

import type { Config } from './config.ts';
import { keys } from './section.ts';
import { admin, busyPoll, drainTimeout, engine, log, workers } from './sections/process.ts';
import { services } from './sections/services.ts';

/** Reads a configuration as a file has it: keys in kebab case, values as texts, numbers, booleans and lists. */
export const schema: z.ZodType<Config> = keys({
  services,
  admin,
  log,
  'drain-timeout': drainTimeout,
  workers,
  engine,
  'busy-poll': busyPoll,
}).transform(({ 'drain-timeout': drainTimeout, 'busy-poll': busyPoll, ...said }) => {
  return { ...said, drainTimeout, busyPoll };
});
