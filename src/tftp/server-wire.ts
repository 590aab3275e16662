import type { Host, HostEndpoint, HostError, HostSocket } from './host.ts';
import { encodeError, ErrorCode, Opcode, transferOpcodeOf } from './packet.ts';
import type { Trace } from './trace.ts';

/** How a transfer reaches its client. */
export interface Wire {
  send(packet: Uint8Array): void;
  close(): void;
}

export interface WireHandlers {
  /** A packet of the client. */
  readonly onPacket: (packet: Uint8Array) => void;
  readonly onLost: (error: HostError) => void;
}

/** Opens the wire of one transfer; `receiveBuffer` in bytes. Throws what the host throws. */
export type Connect = (handlers: WireHandlers, receiveBuffer: number | undefined) => Wire;

/** A socket of its own at `address`. Strangers that write to it get ERROR 5, unless they sent an ERROR themselves. */
export function ownWire(
  host: Host,
  address: string,
  client: HostEndpoint,
  trace: Trace | undefined,
): Connect {
  return ({ onPacket, onLost }, receiveBuffer) => {
    const sendTo = (packet: Uint8Array, peer: HostEndpoint): void => {
      trace?.('sent', packet, peer);
      socket.send(packet, peer.port, peer.address);
    };
    const onStranger = (data: Uint8Array, stranger: HostEndpoint): void => {
      const opcode = transferOpcodeOf(data);
      if (opcode === 0 || opcode === Opcode.error) return;
      sendTo(encodeError(ErrorCode.unknownTid, 'unknown transfer ID'), stranger);
    };
    const socket = host.bindUdp(
      { address, port: 0, ...(receiveBuffer === undefined ? {} : { receiveBuffer }) },
      {
        onDatagram: (data, port, address) => {
          trace?.('received', data, { address, port });
          if (port === client.port && address === client.address) onPacket(data);
          else onStranger(data, { address, port });
        },
        onError: (error) => {
          if (error.closed) onLost(error);
        },
      },
    );
    return { send: (packet) => sendTo(packet, client), close: () => socket.close() };
  };
}

/** The server's one socket, which the server reads. */
export function sharedWire(socket: HostSocket, client: HostEndpoint, trace: Trace | undefined): Connect {
  return () => ({
    send: (packet) => {
      trace?.('sent', packet, client);
      socket.send(packet, client.port, client.address);
    },
    close: () => {},
  });
}
