import type { Clock } from './net.ts';
import { createNodeTlsClient } from './node-tls-client.ts';
import { createNodeTlsServer } from './node-tls-server.ts';
import type { TlsNet } from './tls.ts';

/** TLS as Node has it, over connections of any net. */
export function createNodeTls(clock: Clock): TlsNet {
  return {
    createTlsServer: (options) => createNodeTlsServer(clock, options),
    createTlsClient: (options) => createNodeTlsClient(clock, options),
  };
}
