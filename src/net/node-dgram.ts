/**
 * node:dgram without its delays: all addresses are numeric, so bind, connect and send happen inside the call.
 */
import { createSocket, type Socket } from 'node:dgram';
import { isIP } from 'node:net';
import { NetError, type Endpoint } from './net.ts';
import { errnoOf, toNetError } from './node-errors.ts';
import { isDestination } from './node-sender.ts';

export interface DgramOptions extends Endpoint {
  /** In bytes; the system's default if undefined. */
  readonly receiveBuffer: number | undefined;
  /** Lets other sockets with the same wish have the same address and port (SO_REUSEADDR). */
  readonly shared: boolean;
  /** The same, with what arrives shared out by its source (SO_REUSEPORT). */
  readonly reusePort?: boolean;
}

/** Answers inside the call, where node:dns would answer a tick later. */
function numericLookup(
  address: string,
  _options: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  callback(null, address, isIP(address));
}

/** 4 or 6. Throws NetError for anything but a numeric address. */
export function familyOf(address: string): 4 | 6 {
  const family = isIP(address);
  if (family !== 4 && family !== 6) {
    throw new NetError('TLB_ERR_SOCKET', `"${address}" is not a numeric address`);
  }
  return family;
}

/** A socket that is bound when this returns and has no handlers yet. Throws NetError. */
export function openDgram(options: DgramOptions): Socket {
  const { address, port, shared, reusePort = false, receiveBuffer } = options;
  const family = familyOf(address);
  // node:dgram would bind some other port.
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new NetError('TLB_ERR_SOCKET', `cannot bind ${address} port ${port}: no such port`);
  }
  const socket = createSocket({
    type: `udp${family}`,
    ipv6Only: family === 6,
    reuseAddr: shared,
    reusePort,
    lookup: numericLookup,
  });
  try {
    bindNow(socket, { address, port });
  } catch (error) {
    socket.close();
    if (port === 0 && errnoOf(error) === 'EADDRINUSE') {
      throw new NetError('TLB_ERR_NO_PORTS', `cannot bind ${address}: no free port is left`, {
        cause: error,
      });
    }
    throw toNetError(error, `cannot bind ${address} port ${port}`);
  }
  if (receiveBuffer !== undefined) tryReceiveBuffer(socket, receiveBuffer);
  return socket;
}

/** Connects a bound socket. Throws NetError; the caller closes the socket then. */
export function connectNow(socket: Socket, peer: Endpoint): void {
  if (!isDestination(peer)) {
    throw new NetError('TLB_ERR_SOCKET', `"${peer.address}" port ${peer.port} is no destination`);
  }
  try {
    socket.connect(peer.port, peer.address, ignoreOutcome);
    // Throws if the socket is not connected: the reason itself is told a tick too late.
    socket.remoteAddress();
  } catch (error) {
    throw new NetError('TLB_ERR_UNREACHABLE', `cannot reach ${peer.address} from here`, { cause: error });
  }
}

function ignoreOutcome(): void {}

export function endpointOf(socket: Socket): Endpoint {
  const { address, port } = socket.address();
  return { address, port };
}

function bindNow(socket: Socket, at: Endpoint): void {
  let failure: unknown;
  const onError = (error: Error): void => {
    failure = error;
  };
  socket.on('error', onError);
  socket.bind({ ...at, exclusive: true });
  socket.off('error', onError);
  if (failure !== undefined) throw failure;
  // Throws where the bind was put off, which a lookup that answers at once rules out.
  socket.address();
}

/** A smaller buffer than asked for still works. */
function tryReceiveBuffer(socket: Socket, bytes: number): void {
  try {
    socket.setRecvBufferSize(bytes);
  } catch {
    return;
  }
}
