import { createConnection, type Socket, type TcpSocketConnectOpts } from 'node:net';
import { NetError, type Endpoint, type NetErrorCode } from './net.ts';
import { isDescriptorLeft, noDescriptors } from './node-descriptors.ts';
import { errnoOf, toNetError } from './node-errors.ts';
import { checkEndpoint, endOf, unmapped } from './node-tcp-address.ts';
import { TcpReader } from './node-tcp-reader.ts';
import { NodeTcpSocket, socketOptions, writableHighWaterMark } from './node-tcp-socket.ts';
import { monotonicNow, startTimer } from './node-timer.ts';
import type { ConnectOptions, TcpSocket } from './tcp.ts';

const lostAtOnce = 'the other side reset the connection at once';

/** Rejects with NetError or with the signal's reason; nothing stays open then. */
export async function connectNodeTcp(to: Endpoint, options: ConnectOptions): Promise<TcpSocket> {
  const { from, timeout, signal } = options;
  signal?.throwIfAborted();
  const attempt = attemptOf(to, from);
  const reader = new TcpReader();
  // Paused, it reads nothing until it is asked to.
  const raw = createConnection({ ...optionsOf(to, from, attempt), onread: reader.options }).pause();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const onAbort = (): void => reject(signal?.reason);
  signal?.addEventListener('abort', onAbort);
  const timer = startTimer(monotonicNow, timeout, () => {
    reject(new NetError('TLB_ERR_TIMEOUT', `${attempt}: no answer within ${timeout} ms`));
  });
  raw.on('error', (error) => reject(connectError(error, from, attempt)));
  raw.once('connect', resolve);
  // node:net takes the descriptor in the tick before this one. An attempt may last, and must not hold the last one.
  process.nextTick(() => {
    if (!isDescriptorLeft()) reject(new NetError('TLB_ERR_NO_DESCRIPTORS', `${attempt}: ${noDescriptors}`));
  });
  try {
    await promise;
    return adopt(raw, reader, to, attempt);
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
  const options = { ...socketOptions, writableHighWaterMark };
  const family = checkEndpoint(to, 1, attempt);
  if (from === undefined) return { ...options, host: to.address, port: to.port };
  if (checkEndpoint(from, 0, attempt) !== family) {
    throw new NetError('TLB_ERR_SOCKET', `${attempt}: one address is IPv4, the other is IPv6`);
  }
  return { ...options, host: to.address, port: to.port, localAddress: from.address, localPort: from.port };
}

function adopt(raw: Socket, reader: TcpReader, to: Endpoint, attempt: string): NodeTcpSocket {
  const local = endOf(raw.localAddress, raw.localPort);
  if (local === undefined) throw new NetError('TLB_ERR_REFUSED', `${attempt}: ${lostAtOnce}`);
  return new NodeTcpSocket(raw, reader, local, { address: unmapped(to.address), port: to.port });
}

/** What a system error means for an attempt to connect. */
function connectError(error: Error, from: Endpoint | undefined, attempt: string): NetError {
  const errno = errnoOf(error);
  const atConnect = 'syscall' in error && error.syscall === 'connect';
  const fault = (code: NetErrorCode, reason: string): NetError =>
    new NetError(code, `${attempt}: ${reason}`, { cause: error });
  if (errno === 'ECONNRESET') return fault('TLB_ERR_REFUSED', lostAtOnce);
  // That the address is bad is told by the bind alone.
  const isPortMissing = errno === 'EADDRNOTAVAIL' && atConnect;
  if ((from?.port ?? 0) === 0) {
    if (isPortMissing || errno === 'EADDRINUSE')
      return fault('TLB_ERR_NO_PORTS', 'no local port is left for it');
  } else if (isPortMissing) {
    return fault('TLB_ERR_ADDRESS_IN_USE', 'there is a connection from this port already');
  }
  return toNetError(error, attempt);
}
