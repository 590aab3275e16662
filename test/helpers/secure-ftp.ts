/** Real FTP servers under TLS behind a balancer, and everything that a client does to their files. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import type { Balancer } from './balancer.ts';
import { type CertificateWish, makeKeyPair } from './certificates.ts';
import { noise, publish, sha256, temporaryFolder } from './folders.ts';
import type { DataVerb, FtpClientName, FtpClientTls, FtpStep } from './ftp-client-specs.ts';
import { localFile, takeSteps } from './ftp-clients.ts';
import type { FtpServerName, FtpServerTls } from './ftp-daemon-specs.ts';
import { startFtpServer, type FtpServer } from './ftp-daemons.ts';
import { ownLoopback } from './sockets.ts';

const small = noise(1_000, 'small');
const big = noise(2_000_000, 'big');
/** In the folder `many` of each server; each has the content of `small`. */
export const many: readonly string[] = Array.from(
  { length: 200 },
  (_, index) => `a-file-with-quite-a-long-name-${100 + index}`,
);

/** The side of a balancer that clients see. */
export interface Front {
  /** A file with whom clients trust. */
  readonly ca: string;
  readonly flags: readonly string[];
}

export function makeFront(): Front {
  const { certificate, key } = makeKeyPair();
  const folder = temporaryFolder('front');
  const [ca, keyFile] = [path.join(folder, 'own.pem'), path.join(folder, 'own.key')];
  writeFileSync(ca, certificate);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return { ca, flags: [`--tls-cert=${ca}`, `--tls-key=${keyFile}`] };
}

export interface SecureServer {
  readonly server: FtpServer;
  /** Flags that make the balancer trust it. */
  readonly trust: readonly string[];
}

/** A server with a certificate for its address, unless something else is wished; it has files. */
export async function startSecure(
  name: FtpServerName,
  tls: Omit<FtpServerTls, 'file'> = {},
  wish: CertificateWish = {},
): Promise<SecureServer> {
  const address = ownLoopback();
  const { certificate, key } = makeKeyPair({ kind: 'rsa', names: `IP:${address}`, ...wish });
  const file = path.join(temporaryFolder('certificate'), 'server.pem');
  writeFileSync(file, `${certificate}${key}`, { mode: 0o600 });
  const server = await startFtpServer(name, address, undefined, { ...tls, file });
  fill(server);
  return { server, trust: [`--backend-tls-ca=${file}`] };
}

/** Gives it the files that `exchange` asks for. */
export function fill({ root }: FtpServer): void {
  publish(root, 'small', small);
  publish(root, 'big', big);
  mkdirSync(path.join(root, 'many'));
  for (const name of many) publish(path.join(root, 'many'), name, small);
}

export interface Wish {
  readonly client: FtpClientName;
  readonly verb: DataVerb;
  readonly tls?: FtpClientTls;
}

/** Everything that a client does to files, in one session. */
export async function exchange(
  server: FtpServer,
  listener: Endpoint,
  { client, ...how }: Wish,
): Promise<void> {
  const { root, user, password } = server;
  const uploads: FtpStep[] = [small, big].map((data, at) => ({
    kind: 'upload',
    local: localFile(data),
    remote: `new-${at}`,
  }));
  const downloads: FtpStep[] = ['small', 'big'].map((remote) => ({
    kind: 'download',
    remote,
    local: localFile(),
  }));
  const listing = localFile();
  const stored = uploads.map(({ remote }) => path.join(root, remote));
  for (const file of stored) rmSync(file, { force: true });
  await takeSteps(client, { ...listener, user, password, ...how }, [
    ...uploads,
    ...downloads,
    { kind: 'list', remote: 'many', local: listing },
  ]);
  const hashes = [small, big].map(sha256);
  const arrived = [...stored, ...downloads.map(({ local }) => local)];
  expect(arrived.map((file) => sha256(readFileSync(file)))).toEqual([...hashes, ...hashes]);
  const lines = readFileSync(listing, 'utf8').split('\n');
  expect(lines.filter((line) => line.startsWith('-')).length).toBe(many.length);
}

/** Which levels the last transfer had, of the client and of the backend: `PP` where both were under TLS. */
export function levels(balancer: Balancer): string {
  const last = balancer.lines().findLast(({ event }) => event === 'ftp.transfer');
  return [last?.['clientLevel'], last?.['backendLevel']].join('');
}
