/**
 * The index, if there is such a slot among `count`; throws RangeError otherwise. Lengths beside pointers are written at
 * what is computed from it, so that a wrong one must go no further.
 */
export function checkSlot(index: number, count: number): number {
  if (index >>> 0 !== index || index >= count) throw new RangeError(`no slot ${index} among ${count}`);
  return index;
}
