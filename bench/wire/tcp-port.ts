import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

import { loopback } from '../messages.ts';

/** A port that nobody had a moment ago, for programs that cannot let the kernel choose. */
export async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, loopback);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
