import path from 'node:path';
import { acceptUnix, connectUnix, listenUnix } from '../../../src/linux/unix-socket.ts';
import { close } from '../../../src/linux/sockets.ts';
import { temporaryFolder } from '../../helpers/folders.ts';
import { libcHere } from './kernel.ts';

/** Both ends of a connection of messages; the caller closes them. */
export function unixPair(): readonly [number, number] {
  const libc = libcHere();
  const place = path.join(temporaryFolder('pair'), 'socket');
  const listening = listenUnix(libc, place);
  try {
    const one = connectUnix(libc, place);
    return [one, acceptUnix(libc, listening)];
  } finally {
    close(libc, listening);
  }
}
