import { z } from 'zod';

import type { OptionGroup } from './options.ts';

/** What help and docs say of an option. */
export interface About {
  readonly group: OptionGroup;
  readonly text: string;
  /** What stands for the value; a switch has none. */
  readonly value?: string;
  readonly list?: boolean;
  /** A value that `--no-...` turns off; every switch has that form without saying so. */
  readonly negatable?: boolean;
}

/** Every field of the schema is in here. */
export const about: z.core.$ZodRegistry<About> = z.registry<About>();
