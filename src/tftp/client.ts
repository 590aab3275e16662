import { type Begin, ClientTransfer, type TransferReport, type TransferRequest } from './client-transfer.ts';
import type { Host } from './host.ts';
import { shapeOf } from './negotiation.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import { type ByteSink, sinkFor } from './sink.ts';
import { blocksOf, type ByteSource } from './source.ts';

/**
 * Reads a file from a server into `sink`. Resolves as soon as the last ACK is out. Rejects with TransferError (refused,
 * silent, aborted, socket), RemoteError (the server's ERROR), TftpProtocolError (what the server did is illegal),
 * whatever the sink or the host threw, and RangeError for options that no request may carry.
 */
export async function download(
  host: Host,
  request: TransferRequest,
  sink: ByteSink,
): Promise<TransferReport> {
  const target = sinkFor(request.mode, sink);
  const begin: Begin = (granted, opening, send) =>
    new Receiver({ ...shapeOf(granted), retry: request.retry, opening, sink: target, send });
  const transfer = new ClientTransfer(host, request, 'read', begin);
  sink.onReady?.(() => transfer.wake());
  return transfer.report;
}

/** Writes `source` to a server. Resolves when the last block is acknowledged, and rejects as `download` does. */
export async function upload(
  host: Host,
  request: TransferRequest,
  source: ByteSource,
): Promise<TransferReport> {
  const begin: Begin = (granted, opening, send) => {
    const shape = shapeOf(granted);
    const read = blocksOf(source, request.mode, shape);
    return new Sender({ ...shape, retry: request.retry, opening, read, send });
  };
  const transfer = new ClientTransfer(host, { ...request, dally: 0 }, 'write', begin);
  if (source.kind === 'stream') source.onReady(() => transfer.wake());
  return transfer.report;
}
