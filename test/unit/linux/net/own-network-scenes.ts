/** A program: plays one scene on the network that it finds, and prints what happened. */
import { LinuxNet } from '../../../../src/linux/net/linux-net.ts';
import { openListeningGroup } from '../../../../src/linux/net/listening-group.ts';
import { loadLibc } from '../../../../src/linux/load-libc.ts';
import type { Libc } from '../../../../src/linux/libc.ts';
import { NetError, type TidHandlers, type UdpHandlers } from '../../../../src/net/net.ts';

const wholeSecond = 1_000;
const nothing = (): void => {};

class Notes implements TidHandlers {
  readonly heard: string[] = [];
  readonly errors: string[] = [];
  refusals = 0;
  afterDatagram: UdpHandlers['onDatagram'] = nothing;

  onDatagram(data: Uint8Array, port: number, address: string): void {
    this.heard.push(`${Buffer.from(data).toString()} from ${address}`);
    this.afterDatagram(data, port, address);
  }

  onError({ code }: NetError): void {
    this.errors.push(code);
  }

  onRefused(): void {
    this.refusals += 1;
  }
}

function codeOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return error instanceof NetError ? error.code : String(error);
  }
}

async function settled(done: () => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const end = performance.now() + 10 * wholeSecond;
  const look = (): unknown => (done() || performance.now() > end ? resolve() : setTimeout(look, 5));
  look();
  await promise;
}

/** Clients on several addresses and interfaces ask a socket of all addresses, each at an address of its own. */
async function zones(libc: Libc, net: (options?: object) => LinuxNet): Promise<unknown> {
  const lent = openListeningGroup(libc, { address: '::', port: 0 }, 1);
  const port = lent[0]?.port ?? 0;
  const serving = net({ lent });
  const pairs = [
    { client: '::1', server: '::1', asked: '::1' },
    { client: 'fd00::2', server: 'fd00::1', asked: 'fd00::1' },
    { client: 'fd00::1', server: 'fd00::2', asked: 'fd00::2' },
    { client: 'fe80::2%a1', server: 'fe80::1%a0', asked: 'fe80::1%a1' },
    { client: 'fe80::2%b1', server: 'fe80::1%b0', asked: 'fe80::1%b1' },
  ];
  const servers = pairs.map(({ server }) => {
    const notes = new Notes();
    const socket = serving.bindUdp({ address: server, port }, notes);
    notes.afterDatagram = (data, fromPort, from) => {
      socket.send(data, fromPort, from);
      socket.send(Buffer.from('own'), fromPort, from);
    };
    return notes;
  });
  const clients = pairs.map(({ client, server, asked }) => {
    const notes = new Notes();
    net()
      .bindUdp({ address: client, port: 0 }, notes)
      .send(Buffer.from(`to ${server}`), port, asked);
    return notes;
  });
  await settled(() => clients.every(({ heard }) => heard.length === 2));
  return {
    servers: servers.map(({ heard }) => heard),
    clients: clients.map(({ heard }) => heard),
    errors: [...servers, ...clients].flatMap(({ errors }) => errors),
  };
}

/** The system has ten ports to choose from. */
function ports(_libc: Libc, net: (options?: object) => LinuxNet): unknown {
  const tids = net().backendTids(nothing);
  const options = { receiveBuffer: undefined, anyAddress: false };
  const lend = (address: string) => tids.lend({ address, port: 69 }, new Notes(), options);
  const first = Array.from({ length: 10 }, () => lend('127.0.0.1'));
  const shortage = codeOf(() => lend('127.0.0.1'));
  const others = Array.from({ length: 10 }, () => lend('127.0.0.2').port);
  const vips = net().vipTids({ address: '127.0.0.1', ports: undefined }, nothing);
  const vipShortage = codeOf(() => vips.lend({ address: '127.0.0.9', port: 1 }, new Notes(), undefined));
  first[3]?.close();
  return {
    ports: new Set(first.map(({ port }) => port)).size,
    shortage,
    areShared: others.every((port, index) => port === first[index]?.port),
    vipShortage,
    isLentAgain: lend('127.0.0.1').port === first[3]?.port,
    stillShort: codeOf(() => lend('127.0.0.1')),
  };
}

/** One backend has no route, another one a route that says so, a third one is there: all on one socket. */
async function routes(_libc: Libc, net: (options?: object) => LinuxNet): Promise<unknown> {
  const serving = net();
  const echo = new Notes();
  const server = serving.bindUdp({ address: '127.0.0.1', port: 0 }, echo);
  echo.afterDatagram = (data, port, address) => server.send(data, port, address);
  const tids = serving.backendTids(nothing);
  const addresses = ['203.0.113.1', '198.51.100.1', '198.51.100.2', '127.0.0.1'];
  const sessions = addresses.map((address) => {
    const notes = new Notes();
    const peer = { address, port: server.port };
    return { notes, peer, tid: tids.lend(peer, notes, { receiveBuffer: undefined, anyAddress: false }) };
  });
  const duringTheCall: number[] = [];
  for (let round = 0; round < 3; round++) {
    for (const { tid, notes, peer } of sessions) {
      tid.send(Buffer.from(`round ${round}`), peer.port, peer.address);
      if (round === 0) duringTheCall.push(notes.refusals + notes.errors.length);
    }
  }
  await settled(() => sessions.slice(0, 3).every(({ notes }) => notes.refusals + notes.errors.length === 3));
  await settled(() => sessions[3]?.notes.heard.length === 3);
  return {
    ports: new Set(sessions.map(({ tid }) => tid.port)).size,
    duringTheCall,
    refusals: sessions.map(({ notes }) => notes.refusals),
    errors: sessions.map(({ notes }) => notes.errors),
    heard: sessions.map(({ notes }) => notes.heard.length),
  };
}

/** A firewall forbids one backend, and refuses for another one. */
async function firewall(_libc: Libc, net: (options?: object) => LinuxNet): Promise<unknown> {
  const tids = net().backendTids(nothing);
  const sessions = ['fd00::1', 'fd00::2'].map((address) => {
    const notes = new Notes();
    const peer = { address, port: 69 };
    return { notes, peer, tid: tids.lend(peer, notes, { receiveBuffer: undefined, anyAddress: false }) };
  });
  for (let round = 0; round < 3; round++) {
    for (const { tid, peer } of sessions) tid.send(Buffer.from('request'), peer.port, peer.address);
  }
  await settled(() => sessions[1]?.notes.refusals === 3);
  return sessions.map(({ notes: { refusals, errors } }) => ({ refusals, errors }));
}

const scenes = { zones, ports, routes, firewall };

const load = loadLibc();
if (load.kind === 'unavailable') throw new Error(load.reason);
const { libc } = load;
const openNet = (options: object = {}): LinuxNet => {
  const net = new LinuxNet(libc, { busyPoll: 0, maxWait: 1, maxHold: 0, ...options });
  net.loop.start();
  return net;
};
const [scene] = process.argv.slice(2);
const play = Object.entries(scenes).find(([name]) => name === scene)?.[1];
process.stdout.write(JSON.stringify((await play?.(libc, openNet)) ?? 'no such scene'), () => process.exit());
