import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { Endpoint, UdpSocket } from '../../../src/net/net.ts';
import type { TransferRequest } from '../../../src/tftp/client-transfer.ts';
import type { ByteSink } from '../../../src/tftp/sink.ts';
import { describePacket } from '../../../src/tftp/trace.ts';

export const server = { address: '192.0.2.69', port: 69 };
export const tid = 4000;

type Reply = Uint8Array | undefined;

export interface Script {
  readonly net: MemoryNet;
  readonly clientHost: MemoryHost;
  readonly serverHost: MemoryHost;
  /** The server's TID. */
  readonly from: UdpSocket;
  /** Everything that the server got. */
  readonly heard: readonly string[];
  /** Throws a packet at the client from another port, and gives back what is heard there. */
  readonly stranger: (address: string, packet: Uint8Array) => readonly string[];
  /** Where the client's last packet came from. */
  readonly client: () => Endpoint;
}

export interface Collector extends ByteSink {
  readonly ended: boolean;
  readonly content: () => Buffer;
}

/** A server by script: each packet of the client takes the next reply. */
export function scripted(...replies: Reply[]): Script {
  const net = new MemoryNet({ seed: 1 });
  const clientHost = net.host(['192.0.2.1']);
  const serverHost = net.host([server.address]);
  const strangerHost = net.host(['192.0.2.66']);
  const heard: string[] = [];
  let client = { address: '', port: 0 };
  const hear = (data: Uint8Array, port: number, address: string): void => {
    client = { address, port };
    heard.push(describePacket(data));
    const reply = replies.shift();
    if (reply !== undefined) from.send(reply, port, address);
  };
  const from: UdpSocket = serverHost.bindUdp(
    { address: server.address, port: tid },
    { onDatagram: hear, onError: () => {} },
  );
  serverHost.bindUdp(server, { onDatagram: hear, onError: () => {} });
  const stranger = (address: string, packet: Uint8Array): string[] => {
    const answers: string[] = [];
    const host = address === server.address ? serverHost : strangerHost;
    const socket = host.bindUdp(
      { address, port: 0 },
      { onDatagram: (data) => answers.push(describePacket(data)), onError: () => {} },
    );
    socket.send(packet, client.port, client.address);
    return answers;
  };
  return { net, clientHost, serverHost, from, heard, stranger, client: () => client };
}

export function request(changes: Partial<TransferRequest> = {}): TransferRequest {
  return {
    server,
    file: 'f',
    mode: 'octet',
    options: {},
    retry: { timeout: 1000, retries: 2 },
    dally: 2000,
    ...changes,
  };
}

export function collector(): Collector {
  const parts: Buffer[] = [];
  const sink = {
    ended: false,
    write: (bytes: Uint8Array) => parts.push(Buffer.from(bytes)) > 0,
    end: () => {
      sink.ended = true;
    },
    content: () => Buffer.concat(parts),
  };
  return sink;
}
