/** FTP on real sockets: servers by script and led clients in the process of the tests, the balancer in one of its own. */
import { onTestFinished } from 'vitest';
import { createNodeNet } from '../../src/net/node-net.ts';
import type { Endpoint } from '../../src/net/net.ts';
import type { TcpNet } from '../../src/net/tcp.ts';
import { startBalancer, type Balancer } from '../helpers/balancer.ts';
import { FtpClient, type Until } from '../helpers/ftp-client.ts';
import { FtpServer, type Handler } from '../helpers/ftp-server.ts';
import { content } from '../helpers/ftp-transfers.ts';
import { until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';

export const net: ReturnType<typeof createNodeNet> = createNodeNet();
const home = ownLoopback();

export interface RunningServer extends Endpoint {
  readonly server: FtpServer;
}

export interface ServerOptions {
  /** What it greets with, behind the code. */
  readonly name?: string;
  /** Undefined says nothing. */
  readonly greeting?: string | undefined;
  readonly handlers?: Readonly<Record<string, Handler>>;
  /** A loopback address that all servers of the file share, if left out. */
  readonly address?: string | undefined;
  /** What its connections go through; in clear if left out. */
  readonly net?: TcpNet;
}

/** A server that has `content` as `file` and ends with the test, on a loopback address of its own. */
export async function startFtpServer(options: ServerOptions = {}): Promise<RunningServer> {
  const server = new FtpServer(options.net ?? net, options.name ?? 'server', { ...options.handlers });
  if ('greeting' in options) server.greeting = options.greeting;
  server.files.set('file', content);
  const { address, port } = await server.listen({ address: options.address ?? home, port: 0 });
  onTestFinished(() => {
    server.close();
    for (const session of server.sessions) session.control.reset();
  });
  return { address, port, server };
}

/** A balancer of FTP alone, without health checks. */
export function startFtpBalancer(
  servers: readonly Endpoint[],
  ...flags: readonly string[]
): Promise<Balancer> {
  return startBalancer(servers, { protocol: 'ftp', flags });
}

export const eventually: Until = (what, condition) =>
  until(what, () => {
    const result = condition();
    return result === false ? undefined : result;
  });

/** A client that has connected, from an address of the loopback network, and has read nothing. It ends with the test. */
export async function connectTo(listener: Endpoint, from = '127.0.0.1'): Promise<FtpClient> {
  const options = { timeout: 5_000, from: { address: from, port: 0 } };
  const client = new FtpClient(net, await net.connectTcp(listener, options), eventually);
  onTestFinished(() => client.control.reset());
  return client;
}

/** A client that has logged in. */
export async function loginTo(listener: Endpoint, from?: string): Promise<FtpClient> {
  return (await connectTo(listener, from)).login();
}

/** A handler of RETR that sends `content` and then stands still, until its data connection is broken. */
export const standStill: Handler = async (session) => {
  session.say('150 here it comes');
  const data = await session.data();
  data.handle({
    onData: () => undefined,
    onEnd: () => undefined,
    onDrain: () => undefined,
    onClose: () => session.say('426 broken'),
  });
  data.write(content);
};

/** The verbs that a server heard, logins apart, those of all its sessions. */
export function verbsOf({ server }: RunningServer): string[] {
  const lines = server.sessions.flatMap(({ heard }) => heard);
  const verbs = lines.map((line) => line.split(' ', 1)[0] ?? '');
  return verbs.filter((verb) => verb !== 'USER' && verb !== 'PASS');
}
