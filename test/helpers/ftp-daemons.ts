/** Real FTP servers, each with a folder, an address and a port of its own. */
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect, createServer, isIPv6, type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { temporaryFolder } from './folders.ts';
import {
  ftpServerSpecs,
  logOf,
  type FtpPlace,
  type FtpServerName,
  type FtpServerTls,
} from './ftp-daemon-specs.ts';
import { requirePeer } from './peers.ts';
import { Program } from './processes.ts';
import { ownLoopback } from './sockets.ts';

/** A server that greets. */
export interface FtpServer {
  readonly name: FtpServerName;
  readonly address: string;
  readonly port: number;
  /** Whoever may read and write everything below `root`. */
  readonly user: string;
  readonly password: string;
  /** Where the user arrives. */
  readonly root: string;
  /** Where vsftpd writes how each transfer ended; others do not. */
  readonly log: string;
  readonly program: Program;
}

/** A TCP port of `address` that nobody holds now. */
export async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** True if it greets within `timeout` milliseconds. */
function greets({ address, port, tls }: FtpPlace, timeout: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const settle = (isGreeting: boolean): void => {
      socket.destroy();
      resolve(isGreeting);
    };
    socket.setTimeout(timeout, () => settle(false));
    socket.once('error', () => settle(false));
    // Within TLS, that it listens has to do.
    if (tls?.isImplicit === true) socket.once('connect', () => settle(true));
    socket.once('data', (reply) => settle(reply.toString('latin1').startsWith('220')));
  });
}

/** True once it greets; false if it ended or stays silent. */
async function isServing(program: Program, place: FtpPlace): Promise<boolean> {
  const deadline = Date.now() + 10_000;
  while (program.exit === undefined && Date.now() < deadline) {
    if (await greets(place, 1_000)) return program.exit === undefined;
    await sleep(10);
  }
  return false;
}

/** What OpenSSL reads at its start has the last word on versions, whatever a server can be told. */
function limitVersion(etc: string, tls: FtpServerTls | undefined): Readonly<Record<string, string>> {
  if (tls?.version === undefined) return {};
  const file = path.join(etc, 'openssl.cnf');
  const chain = ['openssl_conf = main', '[main]', 'ssl_conf = uses', '[uses]', 'system_default = limits'];
  writeFileSync(file, [...chain, '[limits]', `MaxProtocol = TLSv${tls.version}`, ''].join('\n'));
  return { OPENSSL_CONF: file };
}

/** Starts a server on an IPv4 address of its own, or on `address`, for `user`, and waits until it greets. */
export async function startFtpServer(
  name: FtpServerName,
  address: string = ownLoopback(),
  user: string = ftpServerSpecs[name].user,
  tls?: FtpServerTls,
): Promise<FtpServer> {
  const { peer, password, launch } = ftpServerSpecs[name];
  const command = requirePeer(peer);
  const root = temporaryFolder('root');
  const etc = path.join(temporaryFolder('server'), 'etc');
  mkdirSync(etc);
  let report = '';
  // The port may be taken by somebody else before the server binds it.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const port = await freePort(address);
    const place = { address, isIPv6: isIPv6(address), port, root, etc, command, user, tls };
    const program = new Program(command, launch(place), { env: limitVersion(etc, tls) });
    if (await isServing(program, place)) {
      return { name, address, port, user, password, root, log: logOf(etc), program };
    }
    await program.stop();
    report = `${program.name}\n${program.stdout}${program.stderr}`;
  }
  throw new Error(`${name} does not greet:\n${report}`);
}

/** The processes that serve its sessions: one for each, or itself. */
export function sessionPids({ program: { pid } }: FtpServer): number[] {
  if (pid === undefined) return [];
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
  return children.length === 0 ? [pid] : children.map(Number);
}
