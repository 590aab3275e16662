/** Who may use a service, how often, and where its requests go. */
import { z } from 'zod';

import type { AccessRules } from '../../engine/snapshot.ts';
import type { AffinityConfig, RatesConfig, RouteConfig } from '../config.ts';
import * as field from '../fields.ts';
import { keys, section } from '../section.ts';
import { day, second } from './spans.ts';

const answers = ['error', 'silent'] as const;

export function answer(text: string): z.ZodOptional<z.ZodType<(typeof answers)[number]>> {
  return field
    .word(answers)
    .optional()
    .meta({ title: answers.join('|'), description: text });
}

function list<T>(
  item: z.ZodType<T>,
  expected: string,
  text: string,
): z.ZodOptional<z.ZodArray<z.ZodType<T>>> {
  return z.array(item, { error: expected }).optional().meta({ description: text });
}

const networks = {
  allow: list(field.network(), 'expected a list of networks', 'network whose clients alone are served'),
  deny: list(
    field.network(),
    'expected a list of networks',
    'network whose clients are refused, also if another one allows them',
  ),
};

const accessAnswer = answer('what refused TFTP clients hear: ERROR 2 (error), or nothing (silent)');

/** Undefined where nothing is said. */
export const ftpAccess: z.ZodType<AccessRules | undefined> = section(networks, ({ allow = [], deny = [] }) =>
  allow.length + deny.length > 0 ? { allow, deny } : undefined,
);

export const tftpAccess: z.ZodType<AccessRules | undefined> = section(
  {
    ...networks,
    'allow-files': list(
      field.glob(),
      'expected a list of patterns',
      'pattern of the names that alone may be asked for, such as boot/**',
    ),
    'deny-files': list(
      field.glob(),
      'expected a list of patterns',
      'pattern of names that are refused, also if another one allows them',
    ),
    answer: accessAnswer,
  },
  ({ allow = [], deny = [], ...said }) => {
    const files = { allow: said['allow-files'] ?? [], deny: said['deny-files'] ?? [] };
    const isEmpty = [allow, deny, files.allow, files.deny].every(({ length }) => length === 0);
    return isEmpty ? undefined : { allow, deny, files, answer: said.answer };
  },
);

const rate = (text: string): z.ZodOptional<z.ZodType<RatesConfig['perClient']>> =>
  field
    .rate()
    .optional()
    .meta({ title: 'RATE', description: `${text}, as N/s[,BURST], N/m or N/h; no bound without` });

export const rates: z.ZodType<RatesConfig | undefined> = section(
  {
    'per-client': rate('requests or connections of one client address'),
    'per-prefix': rate('those of all clients together whose addresses begin alike'),
    'prefix-ipv4': field.integer(0, 32).prefault(24).meta({ description: 'leading bits that are alike' }),
    'prefix-ipv6': field.integer(0, 128).prefault(64).meta({ description: 'leading bits that are alike' }),
  },
  (said) => {
    const [perClient, perPrefix] = [said['per-client'], said['per-prefix']];
    if (perClient === undefined && perPrefix === undefined) return undefined;
    const bits = { ipv4: said['prefix-ipv4'], ipv6: said['prefix-ipv6'] };
    return { perClient, perPrefix: perPrefix && { ...perPrefix, ...bits } };
  },
);

export const affinity: z.ZodType<AffinityConfig | undefined> = section(
  {
    duration: field
      .duration(second, 7 * day, { zero: true })
      .prefault(0)
      .meta({
        description:
          'how long a client address stays with its backend after its last session; 0 = not at all',
      }),
    group: field.label().optional().meta({
      description:
        'services of one group have the same backend for a client, by its name; those with the same backends, if left out',
    }),
  },
  ({ duration, group }) => (duration > 0 ? { duration, group } : undefined),
);

const route: z.ZodType<RouteConfig> = keys({
  op: field
    .word(['read', 'write'])
    .optional()
    .meta({ title: 'read|write', description: 'requests that it is for; both if left out' }),
  files: list(
    field.glob(),
    'expected a list of patterns',
    'patterns of the names that it is for; every name if left out',
  ),
  backends: list(
    field.line(),
    'expected a list of names of backends',
    'names of the backends that alone serve it; all if left out',
  ),
  rewrite: field.rewrite().optional().meta({
    title: 'TEXT',
    description:
      'name that backends are asked for, with {client_ip} and {name}, such as hosts/{client_ip}/{name}',
  }),
})
  .transform((said) => said)
  .meta({ title: 'ROUTE' });

export const routes: z.ZodOptional<z.ZodArray<z.ZodType<RouteConfig>>> = z
  .array(route, { error: 'expected a list of routes, each with op, files, backends or rewrite' })
  .max(100, { error: 'at most 100 routes are possible' })
  .optional()
  .meta({ description: 'where requests go, the first that is for a request counts' });
