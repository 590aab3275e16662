/**
 * Where data connections go: the arguments of PORT, EPRT and EPSV, and the replies 227 and 229 (RFC 959 section 4.1.2,
 * RFC 2428). What is said here is only read; whether an address or port may be used is the reader's decision.
 */
import { type NumericAddress, parseAddress } from './addresses.ts';
import type { Answer } from './errors.ts';
import { finalText, type Reply } from './replies.ts';

export interface DataEndpoint extends NumericAddress {
  readonly kind: 'endpoint';
  /** 1 to 65535. */
  readonly port: number;
}

export interface Refused {
  readonly kind: 'refused';
  readonly answer: Answer;
}

/** EPSV asks for a listener, or (`all`) announces that nothing else will be used from now on (RFC 2428 section 4). */
export type ExtendedPassive = { readonly kind: 'listen' } | { readonly kind: 'all' } | Refused;

/** Ports below are never data ports of a server. */
const firstUserPort = 1024;
const syntaxError: Refused = {
  kind: 'refused',
  answer: { code: 501, text: 'Syntax error in parameters or arguments.' },
};
/** RFC 2428 section 2, by the number of the protocol. */
const families: ReadonlyMap<string, 4 | 6> = new Map([
  ['1', 4],
  ['2', 6],
]);

/** `h1,h2,h3,h4,p1,p2` and nothing else. */
export function parsePort(argument: string): DataEndpoint | Refused {
  if (!/^\d{1,3}(?:,\d{1,3}){5}$/.test(argument)) return syntaxError;
  return ofSixNumbers(argument.split(',')) ?? syntaxError;
}

/** `|1|address|port|`, or with any other delimiter from 33 to 126. `family` is the control connection's. */
export function parseEprt(argument: string, family: 4 | 6): DataEndpoint | Refused {
  const delimiter = argument.charAt(0);
  if (!/^[!-~].*[!-~]$/.test(argument) || !argument.endsWith(delimiter)) return syntaxError;
  const [protocol = '', address = '', port = '', ...more] = argument.slice(1, -1).split(delimiter);
  if (!/^\d{1,5}$/.test(protocol) || more.length > 0) return syntaxError;
  const written = families.get(protocol);
  if (written === undefined) return wrongFamily(family);
  const parsed = parseAddress(address);
  const isOfProtocol = address.includes(':') === (written === 6);
  const portNumber = parsePortNumber(port);
  if (parsed === undefined || !isOfProtocol || portNumber === undefined) return syntaxError;
  return parsed.family === family ? { kind: 'endpoint', ...parsed, port: portNumber } : wrongFamily(family);
}

/** Nothing, a protocol's number, or ALL. `family` is the control connection's. */
export function parseEpsv(argument: string, family: 4 | 6): ExtendedPassive {
  if (argument === '') return { kind: 'listen' };
  if (argument.toUpperCase() === 'ALL') return { kind: 'all' };
  if (!/^\d{1,5}$/.test(argument)) return syntaxError;
  return families.get(argument) === family ? { kind: 'listen' } : wrongFamily(family);
}

/**
 * The first six numbers with commas between them, wherever they stand: servers word their 227 as they like (RFC 1123
 * section 4.1.2.6). Undefined if they name no port that a server may listen on.
 */
export function parsePasvReply(reply: Reply): DataEndpoint | undefined {
  // The look behind keeps a number of 8 KiB from being tried again at each of its digits.
  const numbers = /(?<!\d)\d+(?:,\d+){5}/.exec(finalText(reply))?.[0].split(',');
  const endpoint = numbers && ofSixNumbers(numbers);
  return endpoint !== undefined && endpoint.port >= firstUserPort ? endpoint : undefined;
}

/** The port of a 229: `(|||port|)` with any delimiter from 33 to 126 that is no digit. Undefined if there is none. */
export function parseEpsvReply(reply: Reply): number | undefined {
  const port = /\(([!-/:-~])\1\1(\d+)\1\)/.exec(finalText(reply))?.[2];
  return port === undefined ? undefined : parsePortNumber(port);
}

/** Word for word: some middleboxes know no other form. `address` is IPv4, else a RangeError. */
export function pasvAnswer(address: string, port: number): Answer {
  return { code: 227, text: `Entering Passive Mode (${formatPort(address, port)}).` };
}

/** Word for word, as `pasvAnswer`. */
export function epsvAnswer(port: number): Answer {
  return { code: 229, text: `Entering Extended Passive Mode (|||${checkedPort(port)}|)` };
}

/** The argument of PORT. An address that is not IPv4 is refused with a RangeError. */
export function formatPort(address: string, port: number): string {
  const parsed = checkedAddress(address);
  if (parsed.family !== 4) throw new RangeError('PORT and PASV have room for IPv4 alone');
  checkedPort(port);
  return `${parsed.address.replaceAll('.', ',')},${port >> 8},${port & 0xff}`;
}

/** The argument of EPRT. */
export function formatEprt(address: string, port: number): string {
  const parsed = checkedAddress(address);
  return `|${parsed.family === 4 ? 1 : 2}|${parsed.address}|${checkedPort(port)}|`;
}

function ofSixNumbers(texts: readonly string[]): DataEndpoint | undefined {
  const numbers = texts.map(Number);
  if (numbers.some((number) => number > 255)) return undefined;
  const [high = 0, low = 0] = numbers.slice(4);
  const port = high * 256 + low;
  return port === 0
    ? undefined
    : { kind: 'endpoint', family: 4, address: numbers.slice(0, 4).join('.'), port };
}

function parsePortNumber(text: string): number | undefined {
  if (!/^[1-9]\d{0,4}$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65_535 ? port : undefined;
}

function wrongFamily(right: 4 | 6): Refused {
  const text = `Network protocol not supported, use (${right === 4 ? 1 : 2})`;
  return { kind: 'refused', answer: { code: 522, text } };
}

function checkedAddress(address: string): NumericAddress {
  const parsed = parseAddress(address);
  if (parsed === undefined) throw new RangeError('not a numeric address');
  return parsed;
}

function checkedPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError('a port is from 1 to 65535');
  return port;
}
