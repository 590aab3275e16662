import type { Arena } from './arena.ts';
import { CMSGHDR } from './layout.ts';

/** Ends the search: there is no such entry. */
export const NOT_FOUND = -1;

/** Bytes that an entry with `size` bytes of data takes in a control buffer (CMSG_SPACE). */
export function controlSpace(size: number): number {
  return CMSGHDR.size + Math.ceil(size / CMSGHDR.align) * CMSGHDR.align;
}

/**
 * Offset of the data of an entry among `length` bytes of control messages that begin at `start`, or NOT_FOUND. An entry
 * with fewer than `size` bytes of data is none.
 */
export function findControl(
  arena: Arena,
  start: number,
  length: number,
  level: number,
  type: number,
  size: number,
): number {
  const { view } = arena;
  const end = start + length;
  let at = start;
  while (at + CMSGHDR.size <= end) {
    const entry = view.getUint32(at + CMSGHDR.length, true);
    if (entry < CMSGHDR.size || at + entry > end) return NOT_FOUND;
    const found = view.getInt32(at + CMSGHDR.level, true) === level;
    if (found && view.getInt32(at + CMSGHDR.type, true) === type) {
      return entry - CMSGHDR.size >= size ? at + CMSGHDR.size : NOT_FOUND;
    }
    at += Math.ceil(entry / CMSGHDR.align) * CMSGHDR.align;
  }
  return NOT_FOUND;
}

/** Writes the header of an entry at `at` and returns the offset of its data, for which `size` bytes are left free. */
export function writeControl(arena: Arena, at: number, level: number, type: number, size: number): number {
  arena.view.setUint32(at + CMSGHDR.length, CMSGHDR.size + size, true);
  arena.view.setUint32(at + CMSGHDR.length + 4, 0, true);
  arena.view.setInt32(at + CMSGHDR.level, level, true);
  arena.view.setInt32(at + CMSGHDR.type, type, true);
  return at + CMSGHDR.size;
}
