/** Servers that have TLS to themselves: the balancer carries their control connections, and data go past it. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { lacksClient } from '../helpers/ftp-client-specs.ts';
import { startFtpServer } from '../helpers/ftp-daemons.ts';
import { lacks } from '../helpers/peers.ts';
import { exchange, fill } from '../helpers/secure-ftp.ts';
import { ownLoopback } from '../helpers/sockets.ts';

afterAll(cleanUp);

const servers = [
  ['vsftpd', {}],
  ['vsftpd', { isImplicit: true }],
  ['proftpd', {}],
  ['pure-ftpd', {}],
] as const;

for (const [name, tls] of servers) {
  const isImplicit = 'isImplicit' in tls;
  describe.skipIf(lacks(name) || lacksClient('basic-ftp'))(
    `${name}, ${isImplicit ? 'implicit' : 'explicit'}`,
    () => {
      test('shows its own certificate, and moves files on its own ports', async () => {
        const address = ownLoopback();
        // Clients know it by the address of the balancer.
        const { certificate, key } = makeKeyPair({ kind: 'rsa', names: 'IP:127.0.0.1' });
        const file = path.join(temporaryFolder('certificate'), 'server.pem');
        writeFileSync(file, `${certificate}${key}`, { mode: 0o600 });
        const server = await startFtpServer(name, address, undefined, { ...tls, file });
        fill(server);
        const balancer = await startBalancer([server], { protocol: 'ftp', flags: ['--ftp-tls=passthrough'] });
        await exchange(server, balancer.listener, {
          client: 'basic-ftp',
          verb: 'PASV',
          tls: { ca: file, isImplicit },
        });
        await balancer.said({ event: 'ftp.session.end', backend: 'b0' });
        expect(balancer.lines().some(({ event }) => event === 'ftp.transfer')).toBe(false);
        await Promise.all([server, balancer].map(({ program }) => program.stop()));
      });
    },
  );
}
