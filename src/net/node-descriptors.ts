import { closeSync, openSync } from 'node:fs';
import { errnoOf } from './node-errors.ts';

/** What is said of whatever fails for want of one. */
export const noDescriptors = 'this process has no file descriptors left';

/**
 * False when this process cannot open one more file. libuv then turns connections away without a word to anyone, so
 * whoever took the last descriptor gives it back and says so.
 */
export function isDescriptorLeft(): boolean {
  try {
    closeSync(openSync('/dev/null', 'r'));
    return true;
  } catch (error) {
    return !['EMFILE', 'ENFILE'].includes(errnoOf(error));
  }
}
