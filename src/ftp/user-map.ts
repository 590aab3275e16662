/**
 * Which backend each user has, as a text: a line for each user, which is also a map in YAML.
 *
 *   # comment
 *   alice: web-1
 *   'bob: the builder': web-2     # quotes for what would mean something else, '' for a quote
 *   "10.0.0.3:2121": web-3
 *   CN=carol,O=Example: web-1     # where users are known by their certificates
 */

/** Names or subjects, one character a byte as they come over the wire, with the names of their backends. */
export type UserMap = ReadonlyMap<string, string>;

/** A text is no user map. The message says in which line it is not. */
export class UserMapError extends Error {
  override readonly name = 'UserMapError';
  readonly code = 'TLB_ERR_USER_MAP';
}

/** Users of one map. With lines of some length they take a few dozen MiB in each thread. */
export const maxMappedUsers = 100_000;
/** Bytes of UTF-8. */
export const maxMapBytes = 8_388_608;
/** Characters; YAML has the same limit for the keys of such a map. */
const maxLine = 1_024;

const quoted = `'(?:[^']|'')*'|"[^"\\\\]*"`;
/** Nothing that begins as another part of YAML does. A blank ends it only in front of a comment, a colon in front of a blank. */
const plain = `[^\\s'"#&*!|>%@\`,?:{}[\\]-](?:[^\\s:#]|:(?=\\S)|(?<=\\S)#|[ \\t]+(?=[^\\s#:]))*`;
const entry = new RegExp(`^(${quoted}|${plain})[ \\t]*:[ \\t]+(${quoted}|${plain})[ \\t]*(?:[ \\t]#.*)?$`);
/** What most lines are, which is read much faster. */
const usual = /^(\w[^\s:#'"]*): (\w[^\s:#'"]*(?::[^\s:#'"]+)*)$/;
const empty = /^[ \t]*(?:#.*)?$/;

/** Throws UserMapError. */
export function parseUserMap(text: string): UserMap {
  if (text.length > maxMapBytes) throw new UserMapError(`more than ${maxMapBytes} bytes`);
  const users = new Map<string, string>();
  let number = 0;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r?\n/)) {
    number += 1;
    if (empty.test(line)) continue;
    if (line.length > maxLine) fail(number, `more than ${maxLine} characters`);
    const [user, backend] = entryOf(line) ?? fail(number, 'expected user: backend');
    if (users.has(user)) fail(number, 'the user stands in a line before');
    if (users.size === maxMappedUsers) fail(number, `more than ${maxMappedUsers} users`);
    users.set(user, backend);
  }
  return users;
}

function entryOf(line: string): [user: string, backend: string] | undefined {
  const [, user, backend] = usual.exec(line) ?? entry.exec(line) ?? [];
  if (user === undefined || backend === undefined) return undefined;
  return [bytesOf(valueOf(user)), valueOf(backend)];
}

/** UTF-8, one character a byte. */
function bytesOf(text: string): string {
  return /[^\0-\x7f]/.test(text) ? Buffer.from(text, 'utf8').toString('latin1') : text;
}

function valueOf(scalar: string): string {
  if (scalar.startsWith('"')) return scalar.slice(1, -1);
  return scalar.startsWith("'") ? scalar.slice(1, -1).replaceAll("''", "'") : scalar;
}

function fail(line: number, problem: string): never {
  throw new UserMapError(`line ${line}: ${problem}`);
}
