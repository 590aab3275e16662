import { readdirSync, readlinkSync } from 'node:fs';

function isSocket(descriptor: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith('socket:');
  } catch {
    return false;
  }
}

/** Sockets that this process holds now. */
export function openSockets(): number {
  return readdirSync('/proc/self/fd').filter(isSocket).length;
}
