/** A backend in a list: HOST[:PORT][,weight=N][,name=X], or a map with `host` and perhaps `port`, `weight` and `name`. */
import { isIP } from 'node:net';
import { isUsableAddress, numericAddress } from './addresses.ts';
import { type BackendSpec, maxWeight } from './backend-spec.ts';
import { hostName } from './dns-names.ts';

const maxPort = 65_535;
/** What is a label of metrics, a field of logs and a part of a URL. */
const backendName = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const known: ReadonlySet<string> = new Set(['host', 'port', 'weight', 'name']);

type Fields = Readonly<Record<string, unknown>>;

/** The backend, with `defaultPort` where the entry has none, or what is wrong with the entry. */
export function readEntry(entry: unknown, defaultPort: number): BackendSpec | string {
  if (typeof entry === 'string') return readText(entry, defaultPort);
  if (typeof entry !== 'object' || entry === null || Array.isArray(entry)) return wrongEntry;
  return readFields({ ...entry }, defaultPort);
}

const wrongEntry = 'expected HOST[:PORT][,weight=N][,name=X], or a map of host, port, weight and name';

function readText(text: string, defaultPort: number): BackendSpec | string {
  const [place = '', ...settings] = text.split(',');
  const fields = placeIn(place);
  if (typeof fields === 'string') return fields;
  for (const setting of settings) {
    const [, key = '', value = ''] = /^(weight|name)=(.*)$/.exec(setting) ?? [];
    if (key === '') return `expected weight=N or name=X behind a comma, not ${JSON.stringify(setting)}`;
    if (key in fields) return `${key} stands twice`;
    fields[key] = key === 'weight' ? numberFrom(value) : value;
  }
  return readFields(fields, defaultPort);
}

/** The parts of HOST[:PORT], or what is wrong with it. */
function placeIn(text: string): Record<string, unknown> | string {
  if (isIP(text) === 6) return { host: text };
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text);
  if (parts === null) return wrongEntry;
  const [, bracketed, plain, port] = parts;
  if (bracketed !== undefined && isIP(bracketed) !== 6) return wrongHost;
  return { host: bracketed ?? plain, ...(port !== undefined && { port: numberFrom(port) }) };
}

/** NaN for whatever is not written in plain decimal. */
function numberFrom(text: string): number {
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : NaN;
}

function readFields(fields: Fields, defaultPort: number): BackendSpec | string {
  const stranger = Object.keys(fields).find((key) => !known.has(key));
  if (stranger !== undefined) return `unknown field ${JSON.stringify(stranger)}`;
  const { host, port = defaultPort, weight = 1, name } = fields;
  if (!isHost(host)) return wrongHost;
  if (!isWithin(port, maxPort)) return `expected a port from 1 to ${maxPort}`;
  if (!isWithin(weight, maxWeight)) return `expected a weight from 1 to ${maxWeight}`;
  if (name !== undefined && !isName(name)) return wrongName;
  return { host, port, weight, name };
}

const wrongHost =
  'expected a host: a name, or the address of a server in numbers (IPv6 in brackets if a port follows)';
const wrongName =
  'expected a name of 1 to 63 letters, digits, dots, hyphens or underscores, the first a letter or digit';

function isHost(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const address = numericAddress(value);
  return address === undefined ? hostName(value) !== undefined : isUsableAddress(address);
}

function isWithin(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && backendName.test(value);
}
