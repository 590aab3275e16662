import { isIPv6 } from 'node:net';
import { formatEndpoint, type Endpoint, type Net } from '../net/net.ts';
import { DnsError } from './dns-error.ts';
import { decodeReply, maxDatagram, type Query, type Reply } from './dns-message.ts';

export interface AskOptions {
  /** Milliseconds to wait for the reply. */
  readonly timeout: number;
  readonly signal: AbortSignal;
}

/**
 * Sends the query once, from a port of its own, and waits for its reply from where it went to; whatever else arrives is
 * ignored. Rejects with DnsError, NetError or the signal's reason.
 */
export async function askOverUdp(
  net: Net,
  server: Endpoint,
  query: Query,
  { timeout, signal }: AskOptions,
): Promise<Reply> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const socket = net.bindUdp(
    { address: isIPv6(server.address) ? '::' : '0.0.0.0', port: 0 },
    {
      onDatagram: (data, port, address) => {
        if (port !== server.port || address !== server.address || data.length > maxDatagram) return;
        const reply = decodeReply(data, query);
        if (reply !== undefined) resolve(reply);
      },
      onError: reject,
    },
  );
  const silent = new DnsError(`${formatEndpoint(server.address, server.port)} does not answer`);
  const timer = net.setTimer(timeout, () => reject(silent));
  const close = (): void => {
    timer.cancel();
    socket.close();
  };
  const onAbort = (): void => {
    close();
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.send(query.bytes, server.port, server.address);
  try {
    return await promise;
  } finally {
    close();
    signal.removeEventListener('abort', onAbort);
  }
}
