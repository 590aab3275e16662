/** A process that begins to take over from a balancer and goes no further than a test wants. */
import { request } from 'node:http';
import path from 'node:path';
import { accepted, HandoverChannel } from '../../src/linux/net/handover-channel.ts';
import { close } from '../../src/linux/sockets.ts';
import { acceptUnix, listenUnix } from '../../src/linux/unix-socket.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { Talk } from '../../src/runtime/takeover-talk.ts';
import { libcHere } from '../unit/linux/kernel.ts';
import { temporaryFolder } from './folders.ts';

/** What the balancer has done when the process dies. */
export const deaths = ['hello', 'sessions', 'go'] as const;

const clock = createNodeNet();

/** Takes over until the balancer has said `death`, and then is gone. */
export async function dieAt(socketPath: string, death: (typeof deaths)[number]): Promise<void> {
  const libc = libcHere();
  const place = path.join(temporaryFolder('taker'), 'socket');
  const listening = listenUnix(libc, place);
  try {
    expectOk(await postTakeover(socketPath, place));
    const channel = new HandoverChannel(
      libc,
      await accepted(() => acceptUnix(libc, listening), clock, 5_000),
      clock,
    );
    await goOn(new Talk(channel), death);
    channel.close();
  } finally {
    close(libc, listening);
  }
}

async function goOn(talk: Talk, death: (typeof deaths)[number]): Promise<void> {
  forget((await talk.hear('hello')).descriptors);
  if (death === 'hello') return;
  await talk.say({ kind: 'prepared' });
  for (let isLast = false; !isLast;) {
    const { message, descriptors } = await talk.hear('sessions');
    forget(descriptors);
    ({ isLast } = message);
  }
  if (death === 'sessions') return;
  await talk.say({ kind: 'ready' });
  await talk.hear('go');
}

function forget(descriptors: readonly number[]): void {
  for (const fd of descriptors) close(libcHere(), fd);
}

/** Asks the balancer to connect to `place`. */
export async function postTakeover(
  socketPath: string,
  place: string,
): Promise<{ readonly status: number; readonly body: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const target = `/-/takeover?path=${encodeURIComponent(place)}`;
  const asking = request({ socketPath, method: 'POST', path: target, agent: false }, (response) => {
    let body = '';
    response.setEncoding('utf8').on('data', (part: string) => (body += part));
    response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
  });
  asking.on('error', reject).end();
  return promise;
}

function expectOk({ status, body }: { readonly status: number; readonly body: string }): void {
  if (status !== 200) throw new Error(`the balancer refuses: ${body}`);
}
