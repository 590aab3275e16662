/**
 * The TFTP server of the bench: reads without an end, or of one short block, and as little work for each datagram as
 * Node allows. It keeps no sessions: an ACK says which blocks come next, and what the port that it comes from asked
 * for is looked up in an array. All answers of the ordinary listener leave from one second socket: for whoever relays
 * them that is a new TID, and the server is spared a socket per transfer.
 */
import type { RemoteInfo, Socket } from 'node:dgram';

import { encodeData, encodeOack, Opcode } from '../src/tftp/packet.ts';
import { decodeRequest, optionRecord, transferOptions } from '../src/tftp/request.ts';
import { blockSize, loopback, type ServerPorts } from './messages.ts';
import { openSocket } from './wire/socket.ts';

/** Final in every block size there is. */
const shortBlock = encodeData(1, new Uint8Array(7));
const fullBlock = encodeData(1, new Uint8Array(blockSize));

/** Blocks that follow an ACK, by the port that it comes from; 0 where a transfer has no further ones. */
const windows = new Uint16Array(65_536);

/** Answers from `replies` what arrives at `requests`, and goes on with the transfers at `replies`. */
function serve(requests: Socket, replies: Socket): void {
  const onMessage = (data: Buffer, from: RemoteInfo): void => {
    if (data[1] === Opcode.ack) onAck(replies, ((data[2] ?? 0) << 8) | (data[3] ?? 0), from.port);
    else if (data[1] === Opcode.rrq) onRequest(replies, data, from.port);
  };
  requests.on('message', onMessage);
  if (replies !== requests) replies.on('message', onMessage);
}

/** The loopback interface takes a datagram within the call, so one packet serves for all blocks. */
function onAck(socket: Socket, acknowledged: number, port: number): void {
  const window = windows[port] ?? 0;
  for (let step = 1; step <= window; step++) {
    const block = acknowledged + step;
    fullBlock[2] = (block >> 8) & 0xff;
    fullBlock[3] = block & 0xff;
    socket.send(fullBlock, port, loopback);
  }
}

function onRequest(socket: Socket, packet: Uint8Array, port: number): void {
  const { options } = decodeRequest(packet);
  windows[port] = options.length === 0 ? 0 : (transferOptions(options).windowsize ?? 1);
  socket.send(options.length === 0 ? shortBlock : encodeOack(optionRecord(options)), port, loopback);
}

const ordinary = openSocket();
const singlePort = openSocket();
serve(ordinary, openSocket());
serve(singlePort, singlePort);
const ports: ServerPorts = { ordinary: ordinary.address().port, singlePort: singlePort.address().port };
process.send?.(ports);
// Whoever has started this is gone.
process.once('disconnect', () => process.exit());
