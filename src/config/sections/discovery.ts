import type { z } from 'zod';

import type { DiscoveryConfig } from '../config.ts';
import * as field from '../fields.ts';
import { section } from '../section.ts';
import { day, second } from './spans.ts';

/** Where backends come from, beside those that are listed. */
export const discovery: z.ZodType<DiscoveryConfig> = section(
  {
    'resolve-interval': field
      .duration(second, day)
      .prefault('30s')
      .meta({ description: 'how often the host names of backends are looked up again' }),
  },
  (said) => ({ resolveInterval: said['resolve-interval'] }),
);
