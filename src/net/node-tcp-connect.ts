import { createConnection, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { NetError, type Endpoint } from './net.ts';
import { isDescriptorLeft } from './node-descriptors.ts';
import { errnoOf, toNetError } from './node-errors.ts';
import { checkEndpoint, endOf, unmapped } from './node-tcp-address.ts';
import { highWaterMark, NodeTcpSocket, socketOptions } from './node-tcp-socket.ts';
import { monotonicNow, startTimer } from './node-timer.ts';
import type { ConnectOptions, TcpSocket } from './tcp.ts';

/** Rejects with NetError or with the signal's reason; nothing stays open then. */
export async function connectNodeTcp(to: Endpoint, options: ConnectOptions): Promise<TcpSocket> {
  const { from, timeout, signal } = options;
  signal?.throwIfAborted();
  const attempt = attemptOf(to, from);
  // Paused, it reads nothing until it is asked to.
  const raw = createConnection(optionsOf(to, from, attempt)).pause();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  const timer = startTimer(monotonicNow, timeout, () => {
    reject(new NetError('TLB_ERR_TIMEOUT', `${attempt}: no answer within ${timeout} ms`));
  });
  raw.on('error', (error) => reject(connectError(error, from, attempt)));
  raw.once('connect', resolve);
  try {
    await promise;
    return adopt(raw, to, attempt);
  } catch (error) {
    raw.destroy();
    throw error;
  } finally {
    timer.cancel();
    signal?.removeEventListener('abort', onAbort);
  }
}

function attemptOf(to: Endpoint, from: Endpoint | undefined): string {
  const attempt = `cannot connect to ${to.address} port ${to.port}`;
  return from === undefined ? attempt : `${attempt} from ${from.address} port ${from.port}`;
}

/** Throws NetError. Both addresses are numeric, so no name is ever looked up. */
function optionsOf(to: Endpoint, from: Endpoint | undefined, attempt: string): TcpSocketConnectOpts {
  const options = {
    ...socketOptions,
    readableHighWaterMark: highWaterMark,
    writableHighWaterMark: highWaterMark,
  };
  const family = checkEndpoint(to, 1, attempt);
  if (from === undefined) return { ...options, host: to.address, port: to.port };
  if (checkEndpoint(from, 0, attempt) !== family) {
    throw new NetError('TLB_ERR_SOCKET', `${attempt}: one address is IPv4, the other is IPv6`);
  }
  return { ...options, host: to.address, port: to.port, localAddress: from.address, localPort: from.port };
}

function adopt(raw: Socket, to: Endpoint, attempt: string): NodeTcpSocket {
  const local = endOf(raw.localAddress, raw.localPort);
  if (local === undefined)
    throw new NetError('TLB_ERR_SOCKET', `${attempt}: the connection was lost at once`);
  if (!isDescriptorLeft()) {
    throw new NetError('TLB_ERR_NO_DESCRIPTORS', `${attempt}: this process has no file descriptors left`);
  }
  return new NodeTcpSocket(raw, local, { address: unmapped(to.address), port: to.port });
}

/** A port that is not to be had says so: it is not the address that is wrong. */
function connectError(error: Error, from: Endpoint | undefined, attempt: string): NetError {
  const errno = errnoOf(error);
  const atConnect = 'syscall' in error && error.syscall === 'connect';
  if ((from?.port ?? 0) === 0) {
    if (errno !== 'EADDRINUSE' && !(errno === 'EADDRNOTAVAIL' && atConnect))
      return toNetError(error, attempt);
    return new NetError('TLB_ERR_NO_PORTS', `${attempt}: no local port is left for it`, { cause: error });
  }
  if (errno !== 'EADDRNOTAVAIL' || !atConnect) return toNetError(error, attempt);
  const reason = 'there is a connection from this port already';
  return new NetError('TLB_ERR_ADDRESS_IN_USE', `${attempt}: ${reason}`, { cause: error });
}
