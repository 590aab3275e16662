/** UDP sockets for tests: a free port, a probe, a server that never answers. */
import { randomInt } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';

/** A socket bound to `address` at `port`, or at a port that the kernel chooses. */
export async function boundSocket(address: string, port = 0): Promise<Socket> {
  const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
  const listening = once(socket, 'listening');
  socket.bind(port, address);
  await listening;
  return socket;
}

/** A UDP port of `address` that nobody holds now. Whoever binds it later must be ready to find it taken. */
export async function freePort(address: string): Promise<number> {
  const socket = await boundSocket(address);
  const { port } = socket.address();
  socket.close();
  return port;
}

/**
 * An address of the loopback network that nobody else is likely to use. On 127.0.0.1 a late datagram of one test may
 * meet another one at a port that has changed hands.
 */
export function ownLoopback(): string {
  return `127.${randomInt(2, 255)}.${randomInt(255)}.${randomInt(1, 255)}`;
}

const probeFile = 'probe-that-is-not-there';
const probe = Buffer.from(`\0\u0001${probeFile}\0octet\0`, 'latin1');

/** True if a TFTP server answers a read request within `timeout` milliseconds, ERROR included. */
export async function answers(address: string, port: number, timeout: number): Promise<boolean> {
  const socket = await boundSocket(isIPv6(address) ? '::1' : '127.0.0.1');
  try {
    socket.send(probe, port, address);
    await once(socket, 'message', { signal: AbortSignal.timeout(timeout) });
    return true;
  } catch {
    return false;
  } finally {
    socket.close();
  }
}
