/** Backends as operators write them: HOST[:PORT][,weight=N][,name=X], or their parts. */
import type { z } from 'zod';

import { formatHostPort, isLabel, isUnspecified, parseHostPort, parseInteger } from './address.ts';
import * as field from './fields.ts';
import { keys } from './section.ts';
import { didYouMean } from './suggest.ts';

/** A backend before it is known which service it is for: without a port, each protocol takes its own. */
export interface BackendSpec {
  readonly name: string;
  readonly host: string;
  readonly port: number | undefined;
  readonly weight: number;
}

export const maxWeight = 256;

type Settings = { weight?: string; name?: string };

export function backend(): z.ZodType<BackendSpec> {
  const parts = keys({
    host: field.host().meta({ description: 'name or address of the server' }),
    port: field
      .integer(1, 65_535)
      .optional()
      .meta({ description: 'its port; that of the protocol if left out' }),
    weight: field.integer(1, maxWeight).prefault(1).meta({ description: 'its share of the sessions' }),
    name: field
      .label()
      .optional()
      .meta({ description: 'what it is called in logs and metrics; HOST[:PORT] if left out' }),
  });
  const whole = parts.transform(({ host, port, weight, name }) => {
    return { host, port, weight, name: name ?? (port === undefined ? host : formatHostPort(host, port)) };
  });
  return field.textOr('HOST[:PORT][,weight=N][,name=X]', parseBackend, whole);
}

/** The backend, or what is wrong with the text. */
export function parseBackend(text: string): BackendSpec | string {
  const [place = '', ...rest] = text.split(',');
  const at = parseHostPort(place);
  if (at === undefined || isUnspecified(at.host)) return wrongPlace;
  const settings = readSettings(rest);
  if (typeof settings === 'string') return settings;
  const weight = parseInteger(settings.weight ?? '1', 1, maxWeight);
  if (weight === undefined) return `expected weight=N with N from 1 to ${maxWeight}`;
  const name = settings.name ?? place;
  // The name is a metric label, a log field and part of a URL; what names a place is sound already.
  if (settings.name !== undefined && !isLabel(name)) return wrongName;
  return { name, ...at, weight };
}

const wrongPlace =
  'expected HOST[:PORT][,weight=N][,name=X] with a host name or the address of a server (IPv6 in brackets if a port follows)';
const wrongName = `expected name=X with ${field.labelForm}`;

function readSettings(parts: readonly string[]): Settings | string {
  const settings: Settings = {};
  for (const part of parts) {
    const [key, value] = splitOnce(part, '=');
    if (key !== 'weight' && key !== 'name') {
      return `expected weight=N or name=X behind a comma, not ${JSON.stringify(part)}${didYouMean(key, ['weight', 'name'])}`;
    }
    if (value === undefined) return `expected a value behind ${key}=`;
    if (settings[key] !== undefined) return `${key} stands twice`;
    settings[key] = value;
  }
  return settings;
}

function splitOnce(text: string, separator: string): [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}
