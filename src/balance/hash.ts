/**
 * The one hash of the balancer. It is the same on every machine and in every version: balancers side by side agree on
 * where a key goes because of it, and a change of it would move all keys.
 */

const fnvOffset = 0x811c_9dc5;
const fnvPrime = 0x0100_0193;

/** 0 to 2^31 - 1: FNV-1a with 32 bits over the UTF-16 code units of the text, then `mix`. Allocates nothing. */
export function hashOf(text: string): number {
  let hash = fnvOffset;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), fnvPrime);
  return mix(hash);
}

/**
 * 0 to 2^31 - 1: the finalizer of MurmurHash3, in which every bit of a 32-bit integer counts, without its last bit,
 * since V8 allocates for integers beyond 31 bits.
 */
export function mix(value: number): number {
  let mixed = value ^ (value >>> 16);
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2_ae35);
  mixed ^= mixed >>> 16;
  return mixed >>> 1;
}
