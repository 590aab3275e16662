/** Backends as operators write them: HOST[:PORT][,weight=N][,name=X] */
import { parseHostPort, parseInteger } from './address.ts';
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
  if (settings.name !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/.test(name)) return wrongName;
  return { name, ...at, weight };
}

const wrongPlace =
  'expected HOST[:PORT][,weight=N][,name=X] with a host name or the address of a server (IPv6 in brackets if a port follows)';
const wrongName =
  'expected name=X with 1 to 63 letters, digits, dots, hyphens or underscores, the first a letter or digit';

function isUnspecified(host: string): boolean {
  return host === '0.0.0.0' || host === '::';
}

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
