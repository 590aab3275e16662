import { isIPv6 } from 'node:net';

import { CliError, ExitCode } from './context.ts';

/** What `tftp://HOST[:PORT]/FILE` names (RFC 3617). */
export interface TftpUrl {
  /** A name or a numeric address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** As it goes on the wire, one character a byte (latin1): characters as UTF-8, `%XX` as that very byte. */
  readonly file: string;
  /** From `;mode=` at the end. */
  readonly mode: 'netascii' | 'octet' | undefined;
}

const shape = /^tftp:\/\/(?:\[([^\]]+)\]|([^:/?#@[\]]+))(?::(\d+))?\/(.*)$/is;
const defaultPort = 69;

/** Throws CliError. What looks like a query or a fragment is part of the name: TFTP has neither. */
export function parseTftpUrl(text: string): TftpUrl {
  const [, bracketed, name, digits, rest = ''] = shape.exec(text) ?? [];
  const host = bracketed?.replace('%25', '%') ?? name;
  if (host === undefined) throw usage(`"${text}" is not of the form tftp://HOST[:PORT]/FILE`);
  if (bracketed !== undefined && !isIPv6(host)) throw usage(`"${host}" is no IPv6 address`);
  const port = digits === undefined ? defaultPort : Number(digits);
  if (port < 1 || port > 65_535) throw usage(`port ${port} is not one from 1 to 65535`);
  const suffix = /;mode=(netascii|octet)$/i.exec(rest);
  const file = bytesOf(suffix === null ? rest : rest.slice(0, suffix.index));
  if (file === '') throw usage(`"${text}" names no file`);
  return { host, port, file, mode: modeOf(suffix?.[1]) };
}

function bytesOf(text: string): string {
  if (/%(?![0-9a-f]{2})/i.test(text))
    throw usage(`"${text}" has a % without two hexadecimal digits; % itself is %25`);
  const file = Buffer.from(text, 'utf8')
    .toString('latin1')
    .replaceAll(/%(..)/g, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 16)));
  if (file.includes('\0')) throw usage('a file name has no NUL');
  return file;
}

function modeOf(text: string | undefined): TftpUrl['mode'] {
  if (text === undefined) return undefined;
  return text.toLowerCase() === 'octet' ? 'octet' : 'netascii';
}

function usage(message: string): CliError {
  return new CliError(ExitCode.usage, message);
}
