/** Values of the options of life-options.ts, each read from the text that an operator writes. */
import { parseInteger } from './address.ts';
import type { ProbeSpec } from './config.ts';

/** What a unix socket's address has room for (bytes; unix(7)). */
const longestSocketPath = 107;

/** `own`, the protocol's name, or tcp, tcp:PORT, exec:/COMMAND ARGUMENT...; arguments are separated by white space. */
export function parseProbe(text: string, own: 'tftp' | 'ftp'): ProbeSpec | undefined {
  if (text === own) return { kind: 'protocol' };
  const [, kind, rest] = /^(tcp|exec)(?::(.*))?$/s.exec(text) ?? [];
  if (kind === 'exec') return parseCommand(rest ?? '');
  if (kind !== 'tcp') return undefined;
  if (rest === undefined) return { kind: 'tcp', port: undefined };
  const port = parseInteger(rest, 1, 65535);
  return port === undefined ? undefined : { kind: 'tcp', port };
}

function parseCommand(text: string): ProbeSpec | undefined {
  const [program = '', ...args] = text.trim().split(/\s+/);
  return program.startsWith('/') && !text.includes('\0') ? { kind: 'exec', program, args } : undefined;
}

/** A SHA-256 in hexadecimal, made lower case. */
export function parseSha256(text: string): string | undefined {
  return /^[0-9a-f]{64}$/i.test(text) ? text.toLowerCase() : undefined;
}

/** The path of a unix socket. */
export function parseSocketPath(text: string): string | undefined {
  const isPath = text !== '' && !text.includes('\0') && Buffer.byteLength(text) <= longestSocketPath;
  return isPath ? text : undefined;
}
