/**
 * The kinds of values that keys have, each read from the text that an operator writes (a flag, a variable; numbers,
 * booleans and lists as such where a file has them). A field's message completes what is said of a bad value:
 * "expected ...". Its `title` is how its values look, its `form` what of them a JSON schema can say.
 */
import { z } from 'zod';

import type { Network } from '../engine/network.ts';
import type { AdvertisedAddress, ListenerSpec, PortRange, RequestRate } from '../engine/snapshot.ts';
import {
  isLabel,
  parseAddress,
  parseDnsServer,
  parseDomain,
  parseInteger,
  parseListener,
  parseServer,
} from './address.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { ProbeSpec } from './config.ts';
import { parseAdvertised, parseNetworks, parseVerbs } from './ftp-fields.ts';
import { parseProbe, parseSha256, parseSocketPath } from './life-fields.ts';
import { parseGlob, parseNetwork, parseRate, parseRewrite } from './traffic-fields.ts';
import { complaintsOf, issueOf } from './section.ts';

declare module 'zod' {
  interface GlobalMeta {
    /** What of the values a JSON schema can say. */
    form?: Readonly<Record<string, unknown>>;
  }
}

/** On or off. */
export function toggle(): z.ZodType<boolean> {
  const words = z.enum(['true', 'false']).transform((word) => word === 'true');
  const either = z.union([z.boolean(), words], { error: 'expected true or false' });
  return either.meta({ title: 'true|false', form: { type: 'boolean' } });
}

/** Milliseconds within the bounds; `zero` allows 0 too, whatever the bounds. */
export function duration(
  min: number,
  max: number,
  { zero = false }: { zero?: boolean } = {},
): z.ZodType<number> {
  const expected = `expected a duration from ${formatDuration(min)} to ${formatDuration(max)}${zero ? ', or 0' : ''}, such as 500ms, 10s or 1m`;
  const text = { type: 'string', pattern: String.raw`^\d{1,9}(\.\d{1,3})?(ms|s|m|h)?$` };
  const form = { anyOf: [text, { type: 'number', minimum: 0 }] };
  return read('DURATION', form, expected, (said) => {
    const value = parseDuration(said);
    if (value === undefined || (value === 0 && zero)) return value;
    return value >= min && value <= max ? value : undefined;
  });
}

export function integer(min: number, max: number): z.ZodType<number> {
  const expected = `expected a whole number from ${min} to ${max}`;
  return read('N', integers(min, max), expected, (text) => parseInteger(text, min, max));
}

/** A whole number, or the word `word` for its own meaning. */
export function integerOr<W extends string>(word: W, min: number, max: number): z.ZodType<number | W> {
  const form = { anyOf: [{ const: word }, integers(min, max)] };
  const expected = `expected ${word} or a whole number from ${min} to ${max}`;
  return read(`${word}|N`, form, expected, (text) => (text === word ? word : parseInteger(text, min, max)));
}

function integers(minimum: number, maximum: number): Readonly<Record<string, unknown>> {
  return { type: 'integer', minimum, maximum };
}

/** The canonical text of a numeric address. */
export function address(): z.ZodType<string> {
  return read('ADDR', string, 'expected an IPv4 or IPv6 address in numbers', parseAddress);
}

/** A host name in lower case, or the canonical text of a numeric address. */
export function host(): z.ZodType<string> {
  return read('HOST', string, 'expected a host name or the address of a server', parseServer);
}

/** A domain name in lower case, which nothing is added to. */
export function domain(): z.ZodType<string> {
  return read('DOMAIN', string, 'expected a domain name such as _tftp._udp.example.com', parseDomain);
}

/** Where a DNS server answers: ADDR, or ADDR:PORT. */
export function dnsServer(): z.ZodType<ListenerSpec> {
  const expected =
    'expected ADDR or ADDR:PORT with an address in numbers (IPv6 in brackets if a port follows)';
  return read('ADDR[:PORT]', string, expected, parseDnsServer);
}

export const labelForm = '1 to 63 letters, digits, dots, hyphens or underscores, the first a letter or digit';

/** A name in logs, metrics and URLs. */
export function label(): z.ZodType<string> {
  return read('NAME', string, `expected ${labelForm}`, (text) => (isLabel(text) ? text : undefined));
}

export function portRange(min: number): z.ZodType<PortRange> {
  const form = { type: 'string', pattern: String.raw`^\d+-\d+$` };
  return read('A-B', form, `expected A-B with ports from ${min} to 65535, A not above B`, (text) => {
    const parts = /^(\d+)-(\d+)$/.exec(text);
    const first = parseInteger(parts?.[1] ?? '', min, 65535);
    const last = parseInteger(parts?.[2] ?? '', min, 65535);
    return first !== undefined && last !== undefined && first <= last ? { first, last } : undefined;
  });
}

/** A numeric address with a port, or undefined for `false`. */
export function listenerOrOff(): z.ZodType<ListenerSpec | undefined> {
  const expected = 'expected ADDR:PORT with an address in numbers (IPv6 in brackets), or false';
  return orOff(read('ADDR:PORT', string, expected, parseListener), expected).meta({ title: 'ADDR:PORT' });
}

/** What `value` takes, or undefined for `false`. */
function orOff<T>(value: z.ZodType<T>, expected: string): z.ZodType<T | undefined> {
  const off = z.literal([false, 'false']).transform(() => undefined);
  const form = { anyOf: [string, { const: false }] };
  return z.union([off, value], { error: expected }).meta({ form });
}

/** A file name that any server understands and any log shows. */
export function fileName(): z.ZodType<string> {
  const expected = 'expected a file name of 1 to 255 printable ASCII characters, without ".."';
  return read('NAME', string, expected, (text) =>
    /^[\x20-\x7e]{1,255}$/.test(text) && !text.includes('..') ? text : undefined,
  );
}

/** A path, as the system takes it. */
export function path(): z.ZodType<string> {
  return read('FILE', string, 'expected a path', (text) =>
    text !== '' && !text.includes('\0') ? text : undefined,
  );
}

/** Text without control characters, as a user name. */
export function line(): z.ZodType<string> {
  return read('TEXT', string, 'expected 1 to 255 printable characters', (text) =>
    /^[^\p{Cc}]{1,255}$/u.test(text) ? text : undefined,
  );
}

export function advertised(): z.ZodType<readonly AdvertisedAddress[]> {
  const expected = 'expected auto, an IPv4 address, or CIDR=ADDR,... such as 10.0.0.0/8=10.1.2.3';
  return read('ADDR', list, expected, parseAdvertised);
}

export function networks(): z.ZodType<readonly Network[]> {
  const expected = 'expected networks behind commas, such as 10.0.0.0/8,fd00::/8';
  return read('CIDR,...', list, expected, parseNetworks);
}

export function verbs(): z.ZodType<readonly string[]> {
  return read('CMD,...', list, 'expected FTP commands behind commas, such as SITE,DELE', parseVerbs);
}

/** The addresses of one network, or one address. */
export function network(): z.ZodType<Network> {
  return read('CIDR', string, 'expected ADDR/BITS such as 10.0.0.0/8, or an address', parseNetwork);
}

export function rate(): z.ZodType<RequestRate> {
  const expected = 'expected N/s[,BURST] such as 10/s or 10/s,50, also by the minute (N/m) or hour (N/h)';
  return read('RATE', string, expected, parseRate);
}

export function glob(): z.ZodType<string> {
  return read(
    'GLOB',
    string,
    'expected a pattern of file names of up to 255 bytes, such as boot/**/*.efi',
    parseGlob,
  );
}

/** What stands in place of a file name. */
export function rewrite(): z.ZodType<string> {
  const expected =
    'expected a file name of up to 255 bytes with {client_ip} and {name}, without ".." as a folder';
  return read('TEXT', string, expected, parseRewrite);
}

/** How backends are checked; `own` is what the protocol itself does. */
export function probe(own: 'tftp' | 'ftp'): z.ZodType<ProbeSpec> {
  const expected = `expected ${own}, tcp, tcp:PORT, or exec:COMMAND with the absolute path of a program and its arguments`;
  return read('PROBE', string, expected, (text) => parseProbe(text, own));
}

export function sha256(): z.ZodType<string> {
  return read('HEX', string, 'expected a SHA-256 of 64 hexadecimal digits', parseSha256);
}

/** The path of a unix socket, or undefined for `false`. */
export function socketPathOrOff(): z.ZodType<string | undefined> {
  const expected = 'expected a path of up to 107 bytes, or false';
  return orOff(read('PATH', string, expected, parseSocketPath), expected).meta({ title: 'PATH' });
}

export function word<W extends string>(words: readonly W[]): z.ZodType<W> {
  return read(
    words.join('|'),
    { type: 'string', enum: words },
    `expected one of ${words.join(', ')}`,
    (text) => words.find((known) => known === text),
  );
}

/** One of `words`, each of which is several behind commas and may be written as a list too. */
export function words<W extends string>(choices: readonly W[]): z.ZodType<W> {
  return read(choices.join('|'), list, `expected one of ${choices.join(', ')}`, (text) =>
    choices.find((known) => known === text),
  );
}

/** `T` as a text, which `parse` reads or tells the fault of, or in parts, as `whole` has them. */
export function textOr<T extends object>(
  title: string,
  parse: (text: string) => T | string,
  whole: z.ZodType<T>,
): z.ZodType<T> {
  const either = z.unknown().transform((given, context) => {
    if (typeof given === 'string') {
      const value = parse(given);
      if (typeof value !== 'string') return value;
      context.addIssue({ code: 'custom', message: value });
      return z.NEVER;
    }
    const result = whole.safeParse(given);
    if (result.success) return result.data;
    for (const complaint of result.error.issues.flatMap(complaintsOf)) context.addIssue(issueOf(complaint));
    return z.NEVER;
  });
  return either.meta({ title, form: { anyOf: [string, z.toJSONSchema(whole, { io: 'input' })] } });
}

/** A section, or the text of its key `key` alone. */
export function keyOr<T extends object>(key: string, title: string, whole: z.ZodType<T>): z.ZodType<T> {
  const parse = (text: string): T | string => {
    const { data, error } = whole.safeParse({ [key]: text });
    return data ?? error?.issues[0]?.message ?? `expected ${title}`;
  };
  return textOr(title, parse, whole);
}

const string = { type: 'string' };
/** Texts that commas hold together, or that stand in a list. */
const list = { anyOf: [string, { type: 'array', items: string }] };

function read<T extends string | number | object>(
  title: string,
  form: Readonly<Record<string, unknown>>,
  expected: string,
  parse: (text: string) => T | undefined,
): z.ZodType<T> {
  const scalar = z.union([z.string(), z.number()], { error: expected });
  const said = form === list ? z.union([scalar, z.array(scalar)], { error: expected }) : scalar;
  const parsed = said.transform((given, context) => {
    const value = parse(String(given));
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
  return parsed.meta({ title, form });
}
