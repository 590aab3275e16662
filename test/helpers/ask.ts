/**
 * A client that takes an answer from whatever address it comes, as a process: `node ask.ts ADDRESS PORT FILE [PACE]`
 * reads the file, with PACE milliseconds before each ACK until it gets SIGUSR2, and prints a `Told` as JSON.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { blockOf, encodeAck, encodeRequest, Opcode, opcodeOf } from '../../src/tftp/packet.ts';
import { sha256 } from './folders.ts';

export interface Told {
  /** Of the file's content. */
  readonly sha256: string;
  /** Every `address port` that something came from, once. */
  readonly sources: readonly string[];
}

const fullLength = 516;
const repeatInterval = 1_000;
const [address = '', port = '', file = '', pace = '0'] = process.argv.slice(2);
const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
const request = encodeRequest(Opcode.rrq, file, 'octet', {});
const ask = (): void => socket.send(request, Number(port), address);
const hurry = new AbortController();
const sources = new Set<string>();
const blocks: Uint8Array[] = [];
let repeat: NodeJS.Timeout | undefined;

async function onMessage(data: Uint8Array, from: RemoteInfo): Promise<void> {
  clearInterval(repeat);
  sources.add(`${from.address} ${from.port}`);
  if (opcodeOf(data) !== Opcode.data) throw new Error(`no DATA: ${Buffer.from(data).toString('latin1')}`);
  const block = blockOf(data);
  if (block === blocks.length + 1) {
    blocks.push(data.subarray(4));
    // Whoever is told to hurry ends its waits early.
    await sleep(Number(pace), undefined, { signal: hurry.signal }).catch(() => undefined);
  }
  socket.send(encodeAck(block), from.port, from.address, () => {
    if (data.length === fullLength) return;
    const told: Told = { sha256: sha256(Buffer.concat(blocks)), sources: [...sources] };
    process.stdout.write(JSON.stringify(told));
    socket.close();
  });
}

process.on('SIGUSR2', () => hurry.abort());
socket.on('message', (data, from) => void onMessage(data, from));
socket.once('listening', () => {
  repeat = setInterval(ask, repeatInterval);
  ask();
});
socket.bind();
