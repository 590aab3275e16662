/**
 * The kinds of values that options have, each read from the text that an operator writes (a flag, a variable; numbers
 * and booleans as such where a file has them). A field's message completes what is said of a bad value: "expected ...".
 */
import { z } from 'zod';

import type { AdvertisedAddress, ListenerSpec, PortRange } from '../engine/snapshot.ts';
import { parseAddress, parseInteger, parseListener } from './address.ts';
import { type BackendSpec, parseBackend } from './backend.ts';
import { formatDuration, parseDuration } from './duration.ts';
import type { ProbeSpec } from './config.ts';
import { parseAdvertised, parseVerbs } from './ftp-fields.ts';
import { parseProbe, parseSha256, parseSocketPath } from './life-fields.ts';

/** On or off. */
export function toggle(): z.ZodType<boolean> {
  const words = z.enum(['true', 'false']).transform((word) => word === 'true');
  return z.union([z.boolean(), words], { error: 'expected true or false' });
}

/** Milliseconds within the bounds; `zero` allows 0 too, whatever the bounds. */
export function duration(
  min: number,
  max: number,
  { zero = false }: { zero?: boolean } = {},
): z.ZodType<number> {
  const expected = `expected a duration from ${formatDuration(min)} to ${formatDuration(max)}${zero ? ', or 0' : ''}, such as 500ms, 10s or 1m`;
  return read(expected, (text) => {
    const value = parseDuration(text);
    if (value === undefined || (value === 0 && zero)) return value;
    return value >= min && value <= max ? value : undefined;
  });
}

export function integer(min: number, max: number): z.ZodType<number> {
  return read(`expected a whole number from ${min} to ${max}`, (text) => parseInteger(text, min, max));
}

/** A whole number, or undefined for the word `word`'s own meaning. */
export function integerOr<W extends string>(word: W, min: number, max: number): z.ZodType<number | W> {
  return read(`expected ${word} or a whole number from ${min} to ${max}`, (text) =>
    text === word ? word : parseInteger(text, min, max),
  );
}

/** The canonical text of a numeric address. */
export function address(): z.ZodType<string> {
  return read('expected an IPv4 or IPv6 address in numbers', parseAddress);
}

export function portRange(min: number): z.ZodType<PortRange> {
  return read(`expected A-B with ports from ${min} to 65535, A not above B`, (text) => {
    const parts = /^(\d+)-(\d+)$/.exec(text);
    const first = parseInteger(parts?.[1] ?? '', min, 65535);
    const last = parseInteger(parts?.[2] ?? '', min, 65535);
    return first !== undefined && last !== undefined && first <= last ? { first, last } : undefined;
  });
}

/** A numeric address with a port, or undefined for `false`. */
export function listenerOrOff(): z.ZodType<ListenerSpec | undefined> {
  const expected = 'expected ADDR:PORT with an address in numbers (IPv6 in brackets), or false';
  const off = z.literal([false, 'false']).transform(() => undefined);
  return z.union([off, read(expected, parseListener)], { error: expected });
}

export function backend(): z.ZodType<BackendSpec> {
  return z.string({ error: 'expected HOST[:PORT]' }).transform((text, context) => {
    const spec = parseBackend(text);
    if (typeof spec !== 'string') return spec;
    context.addIssue({ code: 'custom', message: spec });
    return z.NEVER;
  });
}

/** A file name that any server understands and any log shows. */
export function fileName(): z.ZodType<string> {
  return read('expected a file name of 1 to 255 printable ASCII characters, without ".."', (text) =>
    /^[\x20-\x7e]{1,255}$/.test(text) && !text.includes('..') ? text : undefined,
  );
}

/** A path, as the system takes it. */
export function path(): z.ZodType<string> {
  return read('expected a path', (text) => (text !== '' && !text.includes('\0') ? text : undefined));
}

/** Text without control characters, as a user name. */
export function line(): z.ZodType<string> {
  return read('expected 1 to 255 printable characters', (text) =>
    /^[^\p{Cc}]{1,255}$/u.test(text) ? text : undefined,
  );
}

export function advertised(): z.ZodType<readonly AdvertisedAddress[]> {
  return read(
    'expected auto, an IPv4 address, or CIDR=ADDR,... such as 10.0.0.0/8=10.1.2.3',
    parseAdvertised,
  );
}

export function verbs(): z.ZodType<readonly string[]> {
  return read('expected FTP commands behind commas, such as SITE,DELE', parseVerbs);
}

/** How backends are checked; `own` is what the protocol itself does. */
export function probe(own: 'tftp' | 'ftp'): z.ZodType<ProbeSpec> {
  return read(
    `expected ${own}, tcp, tcp:PORT, or exec:COMMAND with the absolute path of a program and its arguments`,
    (text) => parseProbe(text, own),
  );
}

export function sha256(): z.ZodType<string> {
  return read('expected a SHA-256 of 64 hexadecimal digits', parseSha256);
}

/** The path of a unix socket, or undefined for `false`. */
export function socketPathOrOff(): z.ZodType<string | undefined> {
  const expected = 'expected a path of up to 107 bytes, or false';
  const off = z.literal([false, 'false']).transform(() => undefined);
  return z.union([off, read(expected, parseSocketPath)], { error: expected });
}

export function word<W extends string>(words: readonly W[]): z.ZodType<W> {
  return read(`expected one of ${words.join(', ')}`, (text) => words.find((known) => known === text));
}

/** Given any number of times on the command line, separated by white space in a variable. */
export function list<T>(item: z.ZodType<T>, expected: string): z.ZodType<T[]> {
  return z.array(item, { error: expected }).min(1, { error: expected });
}

function read<T extends string | number | object>(
  expected: string,
  parse: (text: string) => T | undefined,
): z.ZodType<T> {
  const scalar = z.union([z.string(), z.number()], { error: expected });
  return scalar.transform((given, context) => {
    const value = parse(String(given));
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: expected });
    return z.NEVER;
  });
}
