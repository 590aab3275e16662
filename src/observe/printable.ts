/**
 * Bytes from the wire, made fit for a log: what is UTF-8 and can be seen stays text, all else is \xNN, and so that
 * nobody can fake such an escape, a backslash is doubled. The same bytes always give the same text.
 */

/** Bytes that are shown of one name or message; a TFTP request has 512 of them at most. */
export const maxShown = 256;

/** What moves a cursor, turns the direction of writing or cannot be seen is no text to a reader of logs. */
const visible = /^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
/** What nearly all names are: ASCII that is shown as it is. There is a line of the log for each transfer. */
const plain = /^[ -[\]-~]*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `bytes` one character a byte (latin1). What is beyond `limit` bytes is only counted. */
export function printable(bytes: string, limit: number = maxShown): string {
  if (bytes.length <= limit && plain.test(bytes)) return bytes;
  const shown = Buffer.from(bytes.slice(0, limit), 'latin1');
  const parts: string[] = [];
  for (let at = 0; at < shown.length;) {
    const character = characterAt(shown, at);
    parts.push(character.text);
    at += character.length;
  }
  const hidden = bytes.length - limit;
  return hidden > 0 ? `${parts.join('')}... (${hidden} bytes more)` : parts.join('');
}

/** Both the names and the values made printable, as many as `limit`. */
export function printableRecord(
  record: Readonly<Record<string, string>>,
  limit = 16,
): Record<string, string> {
  const entries = Object.entries(record).slice(0, limit);
  return Object.fromEntries(entries.map(([name, value]) => [printable(name, 64), printable(value, 64)]));
}

/** How many bytes the first one announces (RFC 3629 section 3); 1 if it cannot be the first of several. */
function sequenceLength(first: number): number {
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  return first >= 0xf0 && first <= 0xf4 ? 4 : 1;
}

/** The character that begins at `at`, or, where none does, that byte alone. */
function characterAt(bytes: Buffer, at: number): { readonly text: string; readonly length: number } {
  const sequence = bytes.subarray(at, at + sequenceLength(bytes[at] ?? 0));
  const text = decoded(sequence);
  if (text === undefined) return { text: escaped(bytes.subarray(at, at + 1)), length: 1 };
  const { length } = sequence;
  if (text === '\\') return { text: '\\\\', length };
  return { text: visible.test(text) ? text : escaped(sequence), length };
}

function decoded(sequence: Buffer): string | undefined {
  try {
    return utf8.decode(sequence);
  } catch {
    return undefined;
  }
}

function escaped(bytes: Buffer): string {
  return [...bytes].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}
