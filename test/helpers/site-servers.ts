/**
 * The TFTP servers of a site, as a process: `node site-servers.ts FOLDER ADDRESS:PORT...`. All serve the files of the
 * folder, those of its folders included, and take uploads of any name, which each of them serves too. They print who
 * asks them.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { createNodeNet } from '../../src/net/node-net.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import { Opcode, opcodeOf } from '../../src/tftp/packet.ts';
import { TftpServer } from '../../src/tftp/server.ts';
import { describePacket, type Trace } from '../../src/tftp/trace.ts';

const [folder = '', ...places] = process.argv.slice(2);
const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
const files = names.filter((name) => statSync(path.join(folder, name)).isFile());
const contents = files.map((name) => [name, readFileSync(path.join(folder, name))] as const);
const store = new MemoryStore(Object.fromEntries(contents), { overwrite: true });
const net = createNodeNet();
const trace: Trace = (direction, packet, peer) => {
  const opcode = opcodeOf(packet);
  if (direction === 'sent' || (opcode !== Opcode.rrq && opcode !== Opcode.wrq)) return;
  console.log(`asked by ${peer.address}: ${describePacket(packet)}`);
};
const servers = places.map((place) => {
  const [, address = '', port] = /^\[?(.+?)\]?:(\d+)$/.exec(place) ?? [];
  return new TftpServer(net, { at: { address, port: Number(port) }, store, trace });
});
console.log(`${servers.length} servers serve`);
