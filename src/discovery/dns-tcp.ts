import { formatEndpoint, type Endpoint, type Net } from '../net/net.ts';
import { DnsError } from './dns-error.ts';
import { decodeReply, type Query, type Reply } from './dns-message.ts';
import type { AskOptions } from './dns-udp.ts';

/**
 * Asks over a connection of its own, where a reply may have 65,535 bytes (RFC 7766). `timeout` is for connecting, and
 * again for the reply. Rejects with DnsError, NetError or the signal's reason.
 */
export async function askOverTcp(
  net: Net,
  server: Endpoint,
  query: Query,
  { timeout, signal }: AskOptions,
): Promise<Reply> {
  const socket = await net.connectTcp(server, { timeout, signal });
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const place = formatEndpoint(server.address, server.port);
  const timer = net.setTimer(timeout, () => reject(new DnsError(`${place} does not answer over TCP`)));
  const onAbort = (): void => {
    timer.cancel();
    socket.release();
    reject(signal.reason);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  const frame = new Frame();
  socket.handle({
    onData: (data) => {
      const message = frame.add(data);
      if (message === undefined) return;
      const reply = decodeReply(message, query);
      if (reply !== undefined && !reply.isTruncated) resolve(reply);
      else reject(new DnsError(`${place} sends something else than a reply over TCP`));
    },
    onEnd: () => reject(new DnsError(`${place} hangs up without a reply`)),
    onDrain: () => undefined,
    onClose: (end, error) => reject(error ?? new DnsError(`the connection with ${place} is over: ${end}`)),
  });
  socket.write(framed(query.bytes));
  try {
    return await promise;
  } finally {
    timer.cancel();
    socket.release();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Over TCP the length goes before the message, in two bytes (RFC 1035 section 4.2.2). */
const lengthSize = 2;

function framed(message: Uint8Array): Uint8Array {
  const frame = Buffer.alloc(lengthSize + message.length);
  frame.writeUInt16BE(message.length);
  frame.set(message, lengthSize);
  return frame;
}

/** A message that arrives in pieces. */
class Frame {
  readonly #bytes = Buffer.alloc(lengthSize + 0xffff);
  #size = 0;

  /** The message if this is the end of it; what follows is not looked at. */
  add(piece: Uint8Array): Uint8Array | undefined {
    const fitting = piece.subarray(0, this.#bytes.length - this.#size);
    this.#bytes.set(fitting, this.#size);
    this.#size += fitting.length;
    const end = lengthSize + this.#bytes.readUInt16BE();
    return this.#size < lengthSize || this.#size < end ? undefined : this.#bytes.subarray(lengthSize, end);
  }
}
