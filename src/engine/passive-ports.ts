/**
 * The ports that passive clients are sent to. Each listener gets one that nobody can foresee and that is lent to no
 * other; so that a late connection finds nobody rather than another session, a port that comes back rests while half
 * of the free ones are taken before it.
 */
import { type Net, NetError } from '../net/net.ts';
import type { ListenHandlers, TcpListener } from '../net/tcp.ts';
import type { PortRange } from './snapshot.ts';

/** Ports that are tried for one listener; other programs may hold some of the range. */
const maxTries = 64;
/** One client is expected; a few strangers may come before it. */
const backlog = 8;

export class PassivePorts {
  readonly range: PortRange | undefined;
  readonly #net: Net;
  /** The longest free in front. */
  readonly #free: number[];
  #used = 0;

  /** Without a range the system chooses each port. */
  constructor(net: Net, range: PortRange | undefined) {
    this.range = range;
    this.#net = net;
    const count = range ? range.last - range.first + 1 : 0;
    this.#free = Array.from({ length: count }, (_, at) => (range?.first ?? 0) + at);
  }

  /** Ports that are listened on. */
  get used(): number {
    return this.#used;
  }

  /** The port is free again when the listener is closed. Rejects with NetError: TLB_ERR_NO_PORTS if none is left. */
  async listen(address: string, handlers: ListenHandlers): Promise<TcpListener> {
    if (!this.range) return this.#tryPort(address, 0, handlers);
    const busy: number[] = [];
    try {
      for (let port = this.#take(); port !== undefined; port = this.#take()) {
        try {
          return await this.#tryPort(address, port, handlers);
        } catch (error) {
          busy.push(port);
          const isBusy = error instanceof NetError && error.code === 'TLB_ERR_ADDRESS_IN_USE';
          if (!isBusy || busy.length === maxTries) throw error;
        }
      }
    } finally {
      this.#free.push(...busy);
    }
    throw new NetError('TLB_ERR_NO_PORTS', `no free port from ${this.range.first} to ${this.range.last}`);
  }

  async #tryPort(address: string, port: number, handlers: ListenHandlers): Promise<TcpListener> {
    const listener = await this.#net.listenTcp({ address, port, backlog }, handlers);
    this.#used += 1;
    let isOpen = true;
    return {
      address: listener.address,
      port: listener.port,
      close: () => {
        listener.close();
        if (isOpen) this.#giveBack(port);
        isOpen = false;
      },
    };
  }

  #take(): number | undefined {
    const at = Math.floor((this.#net.random() * this.#free.length) / 2);
    return this.#free.splice(at, 1)[0];
  }

  #giveBack(port: number): void {
    this.#used -= 1;
    if (port > 0) this.#free.push(port);
  }
}
