/** TIDs for a net without shared sockets: each that is lent is a socket of its own. */
import { NetError, type Net, type TidSocket, type UdpHandlers, type UdpSocket } from './net.ts';
import type { BackendTids, OnStranger, TidNet, VipTidOptions, VipTids } from './tids.ts';

/** Ports of a range that are tried for one TID before there is none. */
const maxPortTries = 64;

export function withOwnTids(net: Net): TidNet {
  return {
    now: () => net.now(),
    setTimer: (delay, callback) => net.setTimer(delay, callback),
    random: () => net.random(),
    bindUdp: (at, handlers) => net.bindUdp(at, handlers),
    localAddresses: () => net.localAddresses(),
    mtuOf: (address) => net.mtuOf(address),
    vipTids: (options, onStranger) => ownVipTids(net, options, onStranger),
    backendTids: (onStranger) => ownBackendTids(net, onStranger),
  };
}

function ownVipTids(net: Net, options: VipTidOptions, onStranger: OnStranger): VipTids {
  const binder = new VipBinder(net, options);
  return {
    lend: (client, handlers, { receiveBuffer } = {}) => {
      const socket: UdpSocket = binder.bind(receiveBuffer, {
        onDatagram: (data, port, address) => {
          const isClient = port === client.port && address === client.address;
          if (isClient) handlers.onDatagram(data, port, address);
          else onStranger(socket, data, port, address);
        },
        onError: (error) => handlers.onError(error),
      });
      return socket;
    },
    close: () => undefined,
  };
}

function ownBackendTids(net: Net, onStranger: OnStranger): BackendTids {
  return {
    lend: (peer, handlers, { receiveBuffer, anyAddress }) => {
      let isPinned = false;
      const socket: TidSocket = net.openTid(
        peer,
        {
          onDatagram: (data, port, address) => {
            if (anyAddress || address === peer.address) handlers.onDatagram(data, port, address);
            else onStranger(isPinned ? socket : undefined, data, port, address);
          },
          onRefused: () => handlers.onRefused(),
          onError: (error) => handlers.onError(error),
        },
        receiveBuffer,
      );
      return {
        address: socket.address,
        port: socket.port,
        send: (data, port, address) => socket.send(data, port, address),
        pinned: (peerPort) => {
          isPinned = true;
          socket.pinned(peerPort);
        },
        close: () => socket.close(),
      };
    },
    close: () => undefined,
  };
}

/** Binds sockets on the VIP, on ports of the operator's range where there is one. */
class VipBinder {
  readonly #net: Net;
  readonly #options: VipTidOptions;
  readonly #lent = new Set<number>();

  constructor(net: Net, options: VipTidOptions) {
    this.#net = net;
    this.#options = options;
  }

  bind(receiveBuffer: number | undefined, handlers: UdpHandlers): UdpSocket {
    const { address, ports } = this.#options;
    const buffer = receiveBuffer === undefined ? {} : { receiveBuffer };
    if (!ports) return this.#net.bindUdp({ address, port: 0, ...buffer }, handlers);
    const size = ports.last - ports.first + 1;
    // A TID that can be guessed proves no address, and lets others meddle (RFC 1350 section 4: chosen at random).
    const start = Math.floor(this.#net.random() * size);
    for (let tries = 0, steps = 0; tries < maxPortTries && steps < size; steps++) {
      const port = ports.first + ((start + steps) % size);
      if (this.#lent.has(port)) continue;
      tries += 1;
      const socket = this.#tryPort(port, buffer, handlers);
      if (socket) return this.#noted(socket);
    }
    throw new NetError('TLB_ERR_NO_PORTS', `no free port from ${ports.first} to ${ports.last}`);
  }

  #tryPort(port: number, buffer: { receiveBuffer?: number }, handlers: UdpHandlers): UdpSocket | undefined {
    try {
      return this.#net.bindUdp({ address: this.#options.address, port, ...buffer }, handlers);
    } catch (error) {
      if (error instanceof NetError && error.code === 'TLB_ERR_ADDRESS_IN_USE') return undefined;
      throw error;
    }
  }

  /** The socket, with its port lent until it is closed. */
  #noted(socket: UdpSocket): UdpSocket {
    const { address, port } = socket;
    this.#lent.add(port);
    return {
      address,
      port,
      send: (data, toPort, toAddress) => socket.send(data, toPort, toAddress),
      close: () => {
        this.#lent.delete(port);
        socket.close();
      },
    };
  }
}
