/** A program: has the Linux net open sockets until it gets no more, and prints what became of that. */
import { readdirSync } from 'node:fs';
import { loadLibc } from '../../../../src/linux/load-libc.ts';
import { LinuxNet } from '../../../../src/linux/net/linux-net.ts';
import { NetError, type TidHandlers } from '../../../../src/net/net.ts';

const nothing = (): void => {};
const deaf: TidHandlers = { onDatagram: nothing, onError: nothing, onRefused: nothing };
const shared = { receiveBuffer: undefined, anyAddress: false };
const alone = { receiveBuffer: undefined, anyAddress: true };
const [peer, elsewhere] = [
  { address: '127.0.0.1', port: 69 },
  { address: '127.0.0.2', port: 69 },
];
const codes = new Set<string>();

function openDescriptors(): number {
  return readdirSync('/proc/self/fd').length;
}

/** As many as there are. */
function all<Socket>(open: () => Socket): Socket[] {
  const sockets: Socket[] = [];
  for (;;) {
    try {
      sockets.push(open());
    } catch (error) {
      if (!(error instanceof NetError)) throw error;
      codes.add(error.code);
      return sockets;
    }
  }
}

const load = loadLibc();
if (load.kind === 'unavailable') throw new Error(load.reason);
const before = openDescriptors();
const net = new LinuxNet(load.libc, { busyPoll: 0, maxWait: 1, maxHold: 0 });
const tids = net.backendTids(nothing);
const vipTids = net.vipTids({ address: '127.0.0.1', ports: { first: 20_000, last: 20_999 } }, nothing);

const backends = all(() => tids.lend(peer, deaf, shared));
const backendsElsewhere = all(() => tids.lend(elsewhere, deaf, shared));
const backendsAlone = all(() => tids.lend(peer, deaf, alone));
const [first] = backends;
first?.close();
const again = tids.lend(peer, deaf, shared);
const vipsWithNone = all(() => vipTids.lend(peer, deaf, undefined));
tids.close();
for (const socket of [...backends, ...backendsElsewhere, again]) socket.close();
const vips = all(() => vipTids.lend(peer, deaf, undefined));
const others = Array.from({ length: 500 }, (_, n) => ({ address: '127.0.0.9', port: n + 1 }));
const vipsOfOthers = others.map((client) => vipTids.lend(client, deaf, undefined));
const listeners = all(() => net.bindUdp({ address: '127.0.0.1', port: 0 }, deaf));
for (const socket of [...vips, ...vipsOfOthers]) socket.close();
vipTids.close();
net.close();

const told = {
  backends: backends.length,
  backendsElsewhere: backendsElsewhere.length,
  alone: backendsAlone.length,
  isLentAgain: again.port === first?.port,
  vipsWithNone: vipsWithNone.length,
  vips: vips.length,
  vipsOfOthers: vipsOfOthers.length,
  listeners: listeners.length,
  codes: [...codes],
  lost: openDescriptors() - before,
};
process.stdout.write(JSON.stringify(told), () => process.exit());
