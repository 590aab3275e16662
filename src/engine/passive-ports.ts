/** The listeners that passive clients are sent to, each on a port of the pool that nobody else has. */
import { type Net, NetError } from '../net/net.ts';
import type { ListenHandlers, TcpListener } from '../net/tcp.ts';
import type { PassivePool } from './passive-pool.ts';

/** Ports that are tried for one listener; other programs may hold some of the range. */
const maxTries = 64;
/** One client is expected; a few strangers may come before it. */
const backlog = 8;

export class PassivePorts {
  readonly #net: Net;
  readonly #pool: PassivePool;

  constructor(net: Net, pool: PassivePool) {
    this.#net = net;
    this.#pool = pool;
  }

  /** The port is free again when the listener is closed. Rejects with NetError: TLB_ERR_NO_PORTS if none is left. */
  async listen(address: string, handlers: ListenHandlers): Promise<TcpListener> {
    const { range } = this.#pool;
    if (!range) return this.#tryPort(address, undefined, handlers);
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
      for (const port of busy) this.#pool.giveBack(port);
    }
    throw new NetError('TLB_ERR_NO_PORTS', `no free port from ${range.first} to ${range.last}`);
  }

  /** `port` is one of the pool's; undefined leaves it to the system. */
  async #tryPort(address: string, port: number | undefined, handlers: ListenHandlers): Promise<TcpListener> {
    const listener = await this.#net.listenTcp({ address, port: port ?? 0, backlog }, handlers);
    this.#pool.opened();
    let isOpen = true;
    return {
      address: listener.address,
      port: listener.port,
      close: () => {
        listener.close();
        if (isOpen) this.#closed(port);
        isOpen = false;
      },
    };
  }

  #take(): number | undefined {
    return this.#pool.take(this.#net.random());
  }

  #closed(port: number | undefined): void {
    this.#pool.closed();
    if (port !== undefined) this.#pool.giveBack(port);
  }
}
