import { NodeTcpSocket } from './node-tcp-socket.ts';
import { NodeTlsSocket, type TlsRole, type TlsSocketOptions } from './node-tls-socket.ts';
import { canDetach, NodeTlsWriter } from './node-tls-writer.ts';
import type { TcpSocket } from './tcp.ts';

/** Puts a connection under TLS, in the cheapest way that its use allows. */
export function openTlsSocket(socket: TcpSocket, role: TlsRole, options: TlsSocketOptions): TcpSocket {
  const isWriter = options.use === 'write' && canDetach && socket instanceof NodeTcpSocket;
  return isWriter ? new NodeTlsWriter(socket, role, options) : new NodeTlsSocket(socket, role, options);
}
