/**
 * The addresses of listeners, before the workers bind them. Sockets that share an address take in whoever asks, also
 * another instance of this program: so each is first bound exclusively for a moment, and an instance that is one too
 * many is told that it is in use. A port that the system may choose is chosen here, once for all workers and all their
 * lives.
 */
import { type ExpandedListener, expandListeners } from '../engine/listeners.ts';
import type { ListenerSpec, Service } from '../engine/snapshot.ts';
import { type Endpoint, type Net, NetError } from '../net/net.ts';

type Target = ListenerSpec & Partial<ExpandedListener>;

/** Where the service is to listen. Rejects with NetError; nothing stays bound. */
export async function claimListeners(
  net: Net,
  { kind, listeners }: Service,
  isShared: boolean,
): Promise<ListenerSpec[]> {
  const bind = binders[kind];
  const claimed: ListenerSpec[] = [];
  for (const { address, port } of listeners) {
    const chosen = port === 0 ? await bind(net, { address, port }) : port;
    claimed.push({ address, port: chosen, isShared });
  }
  if (isShared) await tryAll(net, kind, claimed);
  return claimed;
}

async function tryAll(net: Net, kind: Service['kind'], specs: readonly ListenerSpec[]): Promise<void> {
  const expanded: readonly Target[] = kind === 'tftp' ? expandListeners(specs, net.localAddresses()) : specs;
  for (const spec of expanded) {
    try {
      await binders[kind](net, spec);
    } catch (error) {
      // One of all local addresses may have gone in this moment.
      const isGone = error instanceof NetError && error.code === 'TLB_ERR_ADDRESS_NOT_LOCAL';
      if (!isGone || spec.isExpanded !== true) throw error;
    }
  }
}

/** Binds exclusively and lets go. Returns the port. */
const binders: Readonly<Record<Service['kind'], (net: Net, at: Endpoint) => number | Promise<number>>> = {
  tftp: (net, { address, port }) => {
    const socket = net.bindUdp({ address, port }, { onDatagram: ignore, onError: ignore });
    socket.close();
    return socket.port;
  },
  ftp: async (net, { address, port }) => {
    const handlers = { onConnection: (socket: { reset(): void }) => socket.reset(), onError: ignore };
    const listener = await net.listenTcp({ address, port }, handlers);
    listener.close();
    return listener.port;
  },
};

function ignore(): void {}
