/** The embedded server and client, in the process of the tests. */
import { networkInterfaces } from 'node:os';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { download, upload } from '../../src/tftp/client.ts';
import type { TransferRequest } from '../../src/tftp/client-transfer.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import type { TftpOptions } from '../../src/tftp/negotiation.ts';
import { Opcode, opcodeOf } from '../../src/tftp/packet.ts';
import { decodeRequest, optionRecord } from '../../src/tftp/request.ts';
import { TftpServer } from '../../src/tftp/server.ts';
import { sinkInto, sourceOf } from './content.ts';
import { strict } from './peers.ts';
import { ownLoopback } from './sockets.ts';

const net = createNodeNet();
const home = ownLoopback();
/** Patient, so that nobody repeats in a test that counts datagrams on a slow machine. */
const retry = { timeout: 5_000, retries: 3 };

/** A request as it reached a server. */
interface Asked {
  readonly op: 'read' | 'write';
  readonly file: string;
  readonly options: Readonly<Record<string, string>>;
}

export interface EmbeddedServer extends Endpoint {
  /** By name; uploads come in here. */
  readonly files: Map<string, Uint8Array>;
  /** What it was asked so far, health checks included. */
  readonly requests: readonly Asked[];
}

/** A server that ends with the test, on a loopback address of its own if none is given. */
export function startEmbedded(
  files: Readonly<Record<string, Uint8Array>> = {},
  at: Endpoint = { address: home, port: 0 },
): EmbeddedServer {
  const store = new MemoryStore(files);
  const requests: Asked[] = [];
  const server = new TftpServer(net, {
    at,
    store,
    retry,
    trace: (direction, packet) => {
      const opcode = opcodeOf(packet);
      if (direction !== 'received' || (opcode !== Opcode.rrq && opcode !== Opcode.wrq)) return;
      const { file, options } = decodeRequest(packet.slice());
      requests.push({ op: opcode === Opcode.rrq ? 'read' : 'write', file, options: optionRecord(options) });
    },
  });
  onTestFinished(() => server.close());
  return { address: server.address, port: server.port, files: store.files, requests };
}

interface Fetched {
  readonly bytes: Buffer;
  readonly granted: TftpOptions;
  /** Where the transfer was answered from. */
  readonly peer: Endpoint;
}

/** Downloads with the embedded client. Rejects as `download` does. */
export async function fetchFile(server: Endpoint, file: string, options: TftpOptions = {}): Promise<Fetched> {
  const sink = sinkInto();
  const { granted, peer } = await download(net, requestOf(server, file, options), sink);
  return { bytes: Buffer.from(sink.bytes()), granted, peer };
}

/** Uploads with the embedded client. Rejects as `upload` does. */
export async function storeFile(server: Endpoint, file: string, content: Uint8Array): Promise<void> {
  await upload(net, requestOf(server, file, {}), sourceOf(content));
}

function requestOf({ address, port }: Endpoint, file: string, options: TftpOptions): TransferRequest {
  return { server: { address, port }, file, mode: 'octet', options, retry, dally: 0 };
}

/** Where nobody listens, and where nobody is given a port by chance. */
export const nobody: Endpoint = { address: '127.0.0.1', port: 9 };

/** Whether tests of IPv6 cannot run here; never where that must be a failure. */
export const lacksIpv6: boolean =
  !strict &&
  !Object.values(networkInterfaces()).some((infos) => infos?.some(({ address }) => address === '::1'));
