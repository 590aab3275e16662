import type { Endpoint, TidHandlers, TidSocket, UdpSocket } from '../../src/net/net.ts';
import type { BackendTids, OnStranger, TidNet, VipTids } from '../../src/net/tids.ts';
import { Ear, type Heard, UdpScene, bytes } from './net-scene.ts';

/** Datagrams of a burst that the smallest of the sockets between them holds before anybody reads. */
export const burst = 100;

/** Somebody else's datagram that came to a TID. */
interface Stranger {
  readonly data: string;
  readonly from: Endpoint;
  /** The port of the TID, 0 if it is not to answer. */
  readonly answersFrom: number;
}

/** Writes down the strangers, and answers those whom a TID may answer with `answer`. */
export class Door {
  readonly strangers: Stranger[] = [];
  readonly onStranger: OnStranger = (tid, data, port, address) => {
    const from = { address, port };
    this.strangers.push({ data: Buffer.from(data).toString('latin1'), from, answersFrom: tid?.port ?? 0 });
    if (this.#answer !== undefined) tid?.send(bytes(this.#answer), port, address);
  };
  readonly #answer: string | undefined;

  constructor(answer?: string) {
    this.#answer = answer;
  }

  get data(): string[] {
    return this.strangers.map(({ data }) => data);
  }
}

export class TidScene extends UdpScene<TidNet> {
  /** The VIP TIDs of a listener on the loopback address. */
  readonly vipTids = (ports?: { first: number; last: number }, door: Door = new Door()): VipTids => {
    const tids = this.net.vipTids({ address: this.loopback, ports }, door.onStranger);
    this.atEnd(() => tids.close());
    return tids;
  };

  readonly backendTids = (door: Door = new Door()): BackendTids => {
    const tids = this.net.backendTids(door.onStranger);
    this.atEnd(() => tids.close());
    return tids;
  };

  readonly lendVip = (tids: VipTids, client: Endpoint, ear: Ear = new Ear()): Heard<UdpSocket> => {
    const socket = tids.lend(client, ear, undefined);
    this.atEnd(() => socket.close());
    return { socket, ear };
  };

  readonly lendBackend = (
    tids: BackendTids,
    peer: Endpoint,
    ear: Ear & TidHandlers = new Ear(),
    anyAddress: boolean = false,
  ): Heard<TidSocket> => {
    const socket = tids.lend(peer, ear, { receiveBuffer: undefined, anyAddress });
    this.atEnd(() => socket.close());
    return { socket, ear };
  };

  /** A port of the loopback address that nobody listens on, and that no TID will have. */
  override readonly deadEndpoint = (): Endpoint => ({
    address: this.loopback,
    port: this.freeRange(1).first,
  });

  /** A second address of this host that the loopback address can be reached from; undefined if there is none. */
  readonly otherAddress = (): string | undefined => {
    if (this.family === 4) return '127.0.0.2';
    const others = this.net
      .localAddresses()
      .filter(({ family, address }) => family === 6 && !address.includes('%'));
    return others.find(({ address }) => address !== this.loopback)?.address;
  };

  /** As many ports in a row as nobody holds now. */
  readonly freeRange = (size: number): { first: number; last: number } => {
    for (let tries = 0; tries < 100; tries++) {
      // Below the ports that systems lend.
      const first = 10_000 + Math.floor(this.net.random() * 20_000);
      if (this.#areFree(first, size)) return { first, last: first + size - 1 };
    }
    throw new Error(`no ${size} ports in a row are free`);
  };

  #areFree(first: number, size: number): boolean {
    const sockets: UdpSocket[] = [];
    try {
      for (let port = first; port < first + size; port++) {
        sockets.push(this.net.bindUdp({ address: this.wildcard, port }, new Ear()));
      }
      return true;
    } catch {
      return false;
    } finally {
      for (const socket of sockets) socket.close();
    }
  }
}
