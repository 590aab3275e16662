/** Listeners as operators write them: ADDR, ADDR:PORT, or their parts. */
import { isIP } from 'node:net';
import type { z } from 'zod';

import { parseAddress, parseListener } from './address.ts';
import * as field from './fields.ts';
import { keys } from './section.ts';

/** A listener before it is known which service it is for: without a port, the service has one. */
export interface ListenerSaid {
  readonly address: string;
  readonly port?: number | undefined;
}

export function listener(): z.ZodType<ListenerSaid> {
  const parts = keys({
    address: field.address().meta({ description: 'the address' }),
    port: field
      .integer(0, 65_535)
      .optional()
      .meta({ description: 'the port; that of the service if left out' }),
  });
  return field.textOr('ADDR[:PORT]', parse, parts);
}

function parse(text: string): ListenerSaid | string {
  const address = isIP(text) === 0 ? undefined : parseAddress(text);
  if (address !== undefined) return { address };
  return (
    parseListener(text) ??
    'expected ADDR or ADDR:PORT with an address in numbers (IPv6 in brackets if a port follows)'
  );
}
