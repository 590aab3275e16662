/** FTP under TLS on real sockets: servers by script and led clients, both with the TLS of Node itself. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import {
  connect as connectTls,
  createSecureContext,
  type ConnectionOptions,
  type SecureVersion,
  TLSSocket,
  type TLSSocketOptions,
} from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import type { KeyPair } from '../../src/net/tls.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { FtpClient } from '../helpers/ftp-client.ts';
import { type Handler, say } from '../helpers/ftp-server.ts';
import { until } from '../helpers/processes.ts';
import { NodeSocket, SecureNet } from '../helpers/tls-net.ts';
import { eventually, type RunningServer, startFtpServer } from './ftp.ts';

const folder = temporaryFolder('certificates');

/** Writes a file that its user alone may read; returns its path. */
export function pemFile(name: string, text: string): string {
  const place = path.join(folder, name);
  writeFileSync(place, text, { mode: 0o600 });
  return place;
}

/** TLS on a connection that has just said AUTH TLS; rejects where the handshake fails. */
export async function secured(listener: Endpoint, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: listener.address, port: listener.port });
  onTestFinished(() => void socket.destroy());
  let heard = '';
  socket.on('data', (data) => (heard += data.toString('latin1')));
  await until('220', () => /^220 /m.exec(heard) ?? undefined);
  socket.write('AUTH TLS\r\n');
  await until('234', () => /^234 /m.exec(heard) ?? undefined);
  socket.removeAllListeners('data');
  return handshake(connectTls({ socket, rejectUnauthorized: false, ...options }));
}

export async function handshake(tls: TLSSocket): Promise<TLSSocket> {
  await once(tls, 'secureConnect');
  return tls;
}

/** What a client has of TLS, and what its connections have found. */
export interface SecureClient {
  readonly client: FtpClient;
  /** The session that the next data connection resumes: the newest that the client was given. */
  session: Buffer | undefined;
  /** Of each data connection so far, once its handshake is done: whether it resumed a session. */
  readonly resumed: boolean[];
  /** Common name of the certificate that the control connection was shown. */
  readonly shown: string;
}

/** A client whose control connection is under TLS, and so will be its data connections. */
export async function secureClient(
  listener: Endpoint,
  options: ConnectionOptions = {},
): Promise<SecureClient> {
  const control = await secured(listener, options);
  const net = new SecureNet((socket) => {
    const { session } = own;
    const tls = connectTls({ socket, rejectUnauthorized: false, ...options, ...(session && { session }) });
    tls.on('session', (next) => (own.session = next));
    tls.once('secureConnect', () => own.resumed.push(tls.isSessionReused()));
    onTestFinished(() => void tls.destroy());
    return tls;
  });
  const client = new FtpClient(net, new NodeSocket(control, control), eventually);
  const shown = control.getPeerCertificate().subject.CN;
  const own: SecureClient = { client, session: control.getSession(), resumed: [], shown: String(shown) };
  control.on('session', (session) => (own.session = session));
  return own;
}

/** The same, logged in, and with data connections under TLS. */
export async function secureLogin(
  listener: Endpoint,
  options: ConnectionOptions = {},
): Promise<SecureClient> {
  const own = await secureClient(listener, options);
  for (const command of ['USER joe', 'PASS secret', 'PBSZ 0', 'PROT P']) await own.client.ask(command);
  return own;
}

export interface SecureServerOptions {
  /** As of any server of tests. */
  readonly address?: string;
  readonly maxVersion?: SecureVersion;
  /** Hears the name that each connection asks for. */
  readonly onName?: (name: string) => void;
}

/** A server where TLS begins with the connection. It has one session: what that says of PROT counts for all. */
export async function startSecureServer(
  { certificate: cert, key }: KeyPair,
  { address, maxVersion, onName }: SecureServerOptions = {},
): Promise<RunningServer> {
  const secureContext = createSecureContext({ cert, key, ...(maxVersion && { maxVersion }) });
  const options: TLSSocketOptions = {
    isServer: true,
    secureContext,
    SNICallback: (name, done) => {
      onName?.(name);
      done(null, secureContext);
    },
  };
  let level = 'C';
  let port: number | undefined;
  const handlers: Record<string, Handler> = {
    PBSZ: say('200 as ever'),
    PROT: (session, wish) => {
      level = wish;
      session.say('200 so be it');
    },
  };
  const secureNet = new SecureNet((raw) =>
    level === 'P' || raw.localPort === port ? new TLSSocket(raw, options) : raw,
  );
  const running = await startFtpServer({ net: secureNet, address, handlers });
  ({ port } = running);
  return running;
}
