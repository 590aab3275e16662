import { Epoll } from './epoll.ts';
import { EventFd } from './event-fd.ts';
import type { Libc } from './libc.ts';
import { MessageBatch } from './message-batch.ts';
import { setOption } from './socket-options.ts';
import { steerBySource } from './source-steering.ts';
import { bind, boundTo, close, openUdp } from './sockets.ts';
import { checked } from './syscall-error.ts';
import { encodeName } from './name-codec.ts';

/** Milliseconds: a datagram over loopback has arrived when its sending returns. */
const PATIENCE = 1000;

/**
 * Does for once, over loopback, all that the engine lives on. Undefined if it works, else what does not, in words that a
 * log line can end with: an old kernel or a sandbox may lack, or forbid, some of the calls.
 */
export function probe(libc: Libc): string | undefined {
  const opened: { close(): void }[] = [];
  try {
    roundTrip(libc, opened);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    for (const each of opened) each.close();
  }
}

function roundTrip(libc: Libc, opened: { close(): void }[]): void {
  const wakeup = EventFd.open(libc);
  opened.push(wakeup);
  const epoll = new Epoll(libc, 4);
  opened.push(epoll);
  const fd = openUdp(libc, 4);
  opened.push({ close: () => close(libc, fd) });

  for (const option of ['SO_REUSEPORT', 'IP_PKTINFO', 'IP_RECVERR'] as const) setOption(libc, fd, option, 1);
  steerBySource(libc, fd, 1);
  bind(libc, fd, { address: '127.0.0.1', port: 0 });

  epoll.add(wakeup.fd);
  wakeup.wake();
  if (checked('epoll_wait', epoll.wait(PATIENCE)) !== 1 || !wakeup.reset())
    throw new Error('eventfd wakes nobody');

  const batch = new MessageBatch(libc, { slots: 2, slotSize: 64 });
  const name = encodeName(libc, boundTo(libc, fd));
  for (let index = 0; index < batch.slots; index += 1) {
    batch.peers.set(index, name);
    batch.setLength(index, 1);
  }
  const sent = checked('sendmmsg', batch.send(fd, 0, batch.slots));
  epoll.add(fd);
  checked('epoll_wait', epoll.wait(PATIENCE));
  const received = checked('recvmmsg', batch.receive(fd));
  if (received !== sent || batch.locals.family(0) !== 4)
    throw new Error('recvmmsg loses what sendmmsg has sent');
}
