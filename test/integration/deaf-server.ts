/** A server that never answers a SYN: its queue is full, and it accepts nobody. */
import { connect } from 'node:net';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { Program, until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';

/** Of connections that nobody has accepted, the kernel keeps one more. */
const backlog = 1;

const script = `
  const server = require('node:net').createServer();
  const [address] = process.argv.slice(1);
  server.listen({ host: address, port: 0, backlog: ${backlog} }, () => {
    require('node:fs').writeSync(1, server.address().port + '\\n');
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;

/** Ends with the test. */
export async function startDeafServer(): Promise<Endpoint> {
  const address = ownLoopback();
  const program = new Program({ program: process.execPath, env: {} }, ['-e', script, address]);
  const port = await until('it listens', () => Number(program.stdout) || undefined);
  // What comes behind those that fit is dropped, and tries again and again.
  const sockets = Array.from({ length: backlog + 3 }, () => connect({ host: address, port }));
  for (const socket of sockets) socket.on('error', () => undefined);
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    program.signal('SIGKILL');
  });
  await until(
    'its queue is full',
    () => sockets.filter(({ pending }) => !pending).length > backlog || undefined,
  );
  return { address, port };
}
