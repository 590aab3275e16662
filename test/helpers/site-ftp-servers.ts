/**
 * The FTP servers of a site, as a process: `node site-ftp-servers.ts FOLDER ADDRESS...`. At port 21 of each address
 * everybody may read and write the files of the folder.
 */
import { FtpSrv } from 'ftp-srv';
import { createLogger } from '../../src/observe/log.ts';

const [root = '', ...addresses] = process.argv.slice(2);
for (const address of addresses) {
  const server = new FtpSrv({
    url: `ftp://${address}:21`,
    anonymous: true,
    pasv_url: address,
    // The system chooses the ports of data connections.
    pasv_min: 0,
    pasv_max: 0,
    log: createLogger('silent'),
  });
  server.on('login', (_login, resolve) => resolve({ root }));
  await server.listen();
}
console.log(`${addresses.length} servers serve`);
