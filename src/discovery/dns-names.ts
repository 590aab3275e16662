/** Octets of a name as it is written, without the dot at its end (RFC 1035 section 2.3.4). */
const maxName = 253;
/** Services have names with underscores in front (RFC 2782). */
const label = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/i;

/** A domain name in the one spelling that can be compared: lower case, no dot at its end. Undefined if it is none. */
export function domainName(text: string): string | undefined {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const isSound = name.length <= maxName && name.split('.').every((part) => label.test(part));
  return isSound ? name.toLowerCase() : undefined;
}

/** A domain name that a host may have. One that ends in a number is a mistyped address (RFC 3696 section 2). */
export function hostName(text: string): string | undefined {
  const name = domainName(text);
  return name === undefined || /(^|\.)\d+$/.test(name) ? undefined : name;
}
