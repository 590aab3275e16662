/** Real TFTP clients behind one face. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatEndpoint } from '../../src/net/net.ts';
import { temporaryFolder } from './folders.ts';
import { requirePeer } from './peers.ts';
import { run, type Exit, type RunOptions } from './processes.ts';

export const clientNames = ['curl', 'tftp-hpa', 'atftp', 'busybox'] as const;
export type ClientName = (typeof clientNames)[number];

/** Where a request goes and what it asks for. What is left out is not asked for. */
export interface Request {
  readonly address: string;
  readonly port: number;
  readonly file: string;
  readonly mode?: 'octet' | 'netascii' | undefined;
  readonly blksize?: number | undefined;
  readonly windowsize?: number | undefined;
  /** The one port that the client sends from. */
  readonly sourcePort?: number | undefined;
  /** Milliseconds until the client is killed. */
  readonly patience?: number;
  /** Where the client runs; on this host if left out. */
  readonly host?: RunOptions['host'];
}

interface ClientSpec {
  /** Smallest and largest blksize that it can ask for; undefined if it never asks. */
  readonly blksizes: readonly [smallest: number, largest: number] | undefined;
  readonly windows: boolean;
  readonly netascii: boolean;
  /** Refuses `tsize` 0 in an OACK, so that it gets empty files only if it asks for nothing. */
  readonly refusesEmpty: boolean;
  readonly get: (request: Request, local: string) => string[];
  readonly put: (request: Request, local: string) => string[];
}

function curl({ address, port, file, blksize }: Request): string[] {
  const options = blksize === undefined ? ['--tftp-no-options'] : ['--tftp-blksize', String(blksize)];
  const url = `tftp://${formatEndpoint(address, port)}/${file}`;
  return ['--silent', '--show-error', '--globoff', ...options, url];
}

function tftpHpa({ address, port, mode, sourcePort }: Request): string[] {
  const source = sourcePort === undefined ? [] : ['-R', `${sourcePort}:${sourcePort}`];
  const family = address.includes(':') ? '-6' : '-4';
  return [family, ...source, '-m', mode ?? 'octet', address, String(port), '-c'];
}

function atftp(request: Request, local: string): string[] {
  const options: string[] = [];
  if (request.mode === 'netascii') options.push('mode netascii');
  if (request.blksize !== undefined) options.push(`blksize ${request.blksize}`);
  if (request.windowsize !== undefined) options.push(`windowsize ${request.windowsize}`);
  const asked = options.flatMap((option) => ['--option', option]);
  const { address, port, file } = request;
  return ['--remote-file', file, '--local-file', local, ...asked, address, String(port)];
}

function busybox(request: Request, local: string): string[] {
  const options = request.blksize === undefined ? [] : ['-b', String(request.blksize)];
  return [...options, '-r', request.file, '-l', local, request.address, String(request.port)];
}

export const clientSpecs: Readonly<Record<ClientName, ClientSpec>> = {
  curl: {
    blksizes: [8, 65_464],
    windows: false,
    // It only asks for it and converts nothing.
    netascii: false,
    refusesEmpty: true,
    get: (request, local) => ['--output', local, ...curl(request)],
    put: (request, local) => ['--upload-file', local, ...curl(request)],
  },
  'tftp-hpa': {
    blksizes: undefined,
    windows: false,
    netascii: true,
    refusesEmpty: false,
    get: (request, local) => [...tftpHpa(request), 'get', request.file, local],
    put: (request, local) => [...tftpHpa(request), 'put', local, request.file],
  },
  atftp: {
    blksizes: [8, 65_464],
    windows: true,
    netascii: true,
    refusesEmpty: false,
    get: (request, local) => ['--get', ...atftp(request, local)],
    put: (request, local) => ['--put', ...atftp(request, local)],
  },
  busybox: {
    blksizes: [24, 65_464],
    windows: false,
    netascii: false,
    refusesEmpty: false,
    get: (request, local) => ['tftp', '-g', ...busybox(request, local)],
    put: (request, local) => ['tftp', '-p', ...busybox(request, local)],
  },
};

/** True if the client can ask for this block size; asking for none is what every client can do. */
export function canAsk(client: ClientName, blksize: number | undefined): boolean {
  if (blksize === undefined) return true;
  const { blksizes } = clientSpecs[client];
  return blksizes !== undefined && blksize >= blksizes[0] && blksize <= blksizes[1];
}

/** What a client said when it failed. */
export class TransferFailed extends Error {
  override readonly name = 'TransferFailed';
  readonly exit: Exit;

  constructor(client: ClientName, args: readonly string[], exit: Exit) {
    const end = exit.signal === undefined ? `exit code ${exit.code}` : `killed by ${exit.signal}`;
    super(`${client} ${args.join(' ')}: ${end}\n${exit.stdout}${exit.stderr}`);
    this.exit = exit;
  }
}

/** True if a client failed because of ERROR 1, told by its exit code or its message. */
export function notFound(error: unknown): boolean {
  if (!(error instanceof TransferFailed)) return false;
  const { code, stdout, stderr } = error.exit;
  return code === 68 || /Error code 1:|\(1\)|not found|No such file/iu.test(stdout + stderr);
}

async function transfer(client: ClientName, args: readonly string[], request: Request): Promise<void> {
  const { patience: timeout = 20_000, host } = request;
  const exit = await run(requirePeer(client), args, { timeout, host });
  // tftp-hpa ends with code 0 whatever happens.
  const failed = exit.code !== 0 || /^(Error code|Transfer timed out)/mu.test(exit.stdout + exit.stderr);
  if (failed) throw new TransferFailed(client, args, exit);
}

let folder: string | undefined;
let files = 0;

function localFile(): string {
  folder ??= temporaryFolder('client');
  files += 1;
  return path.join(folder, String(files));
}

/** Downloads with a real client and returns what it stored. Throws TransferFailed. */
export async function get(client: ClientName, request: Request): Promise<Buffer> {
  const local = localFile();
  await transfer(client, clientSpecs[client].get(request, local), request);
  return readFileSync(local);
}

/** Uploads with a real client. Throws TransferFailed. */
export async function put(client: ClientName, request: Request, data: Uint8Array): Promise<void> {
  const local = localFile();
  writeFileSync(local, data);
  await transfer(client, clientSpecs[client].put(request, local), request);
}
