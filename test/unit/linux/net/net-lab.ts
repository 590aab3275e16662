import { expect } from 'vitest';
import type { LinuxNet, LinuxNetOptions } from '../../../../src/linux/net/linux-net.ts';
import type { Endpoint, TidSocket, UdpSocket } from '../../../../src/net/net.ts';
import type { BackendTids, VipTidOptions, VipTids } from '../../../../src/net/tids.ts';
import { Ear } from '../../../contract/net-scene.ts';
import { openSockets } from '../../../helpers/descriptors.ts';
import { openLinuxNet } from '../../../helpers/tid-nets.ts';

const nothing = (): void => {};

/** A Linux net, and what was opened on it, in one go. */
export class NetLab {
  readonly net: LinuxNet;
  /** Sockets of this process when there was no net yet. */
  readonly before: number = openSockets();
  readonly #closers: (() => void)[] = [];

  constructor(options: Partial<LinuxNetOptions> = {}) {
    this.net = openLinuxNet(options);
  }

  /** How many sockets the net has. */
  get sockets(): number {
    return openSockets() - this.before;
  }

  backendTids(): BackendTids {
    return this.#closing(this.net.backendTids(nothing));
  }

  vipTids(options: Partial<VipTidOptions> = {}): VipTids {
    return this.#closing(this.net.vipTids({ address: '127.0.0.1', ports: undefined, ...options }, nothing));
  }

  lend(tids: BackendTids, peer: Endpoint, ear: Ear = new Ear(), anyAddress = false): TidSocket {
    return this.#closing(tids.lend(peer, ear, { receiveBuffer: undefined, anyAddress }));
  }

  lendVip(tids: VipTids, client: Endpoint, ear: Ear = new Ear()): UdpSocket {
    return this.#closing(tids.lend(client, ear, undefined));
  }

  bind(address: string, port = 0, ear: Ear = new Ear()): UdpSocket {
    return this.#closing(this.net.bindUdp({ address, port }, ear));
  }

  /** Nothing may be left open then. */
  close(): void {
    for (const close of this.#closers.splice(0).toReversed()) close();
    this.net.close();
    expect(this.sockets).toBe(0);
  }

  #closing<Part extends { close(): void }>(part: Part): Part {
    this.#closers.push(() => part.close());
    return part;
  }
}
