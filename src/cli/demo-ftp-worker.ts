/**
 * The FTP servers of the demo, one for each folder. They have a thread of their own because the package ends the
 * process by itself when a signal comes; in a thread none comes.
 */
import { Server } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

import { FtpSrv } from 'ftp-srv';

import { createLogger } from '../observe/log.ts';
import type { DemoFtpPlaces } from './demo-ftp-servers.ts';

/** Whoever comes may read and write. Resolves with the port that the system has chosen. */
async function serve(folder: string, address: string): Promise<number> {
  const server = new FtpSrv({
    url: `ftp://${address}:0`,
    anonymous: true,
    pasv_url: address,
    // Port 0 for data connections as well: the system chooses each.
    pasv_min: 0,
    pasv_max: 0,
    log: createLogger('silent'),
  });
  server.on('login', (_login, resolve) => resolve({ root: folder }));
  await server.listen();
  return portOf(server);
}

/** The package's types do not tell of the socket that listens. */
function portOf(server: FtpSrv): number {
  const socket = 'server' in server ? server.server : undefined;
  const at = socket instanceof Server ? socket.address() : null;
  if (at === null || typeof at === 'string') throw new TypeError('the server does not listen on a port');
  return at.port;
}

const { folders, address }: DemoFtpPlaces = workerData;
const ports = await Promise.all(folders.map((folder) => serve(folder, address)));
parentPort?.postMessage(ports, []);
