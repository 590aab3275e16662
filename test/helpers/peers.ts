/** Finds the real programs that the tests talk to: in the prefix of test/interop/fetch-peers.sh, then on the path. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, globSync } from 'node:fs';
import path from 'node:path';

interface PeerSpec {
  /** Debian's package, which is also the name of its root in the prefix. */
  readonly package: string;
  /** Below that root, or below the system's; its last part is what is looked for on the path. */
  readonly program: string;
  /** Python imports it: `program` is the folder where that may look. */
  readonly isModule?: boolean;
  /** Arguments that make the right program print `says`, where others have the same name. */
  readonly recognise?: { readonly args: readonly string[]; readonly says: string };
  /** Why it cannot run without root. */
  readonly needsRoot?: string;
}

export const peerNames = [
  'tftpd-hpa',
  'atftpd',
  'dnsmasq',
  'tftp-hpa',
  'atftp',
  'busybox',
  'curl',
  'nginx',
  'vsftpd',
  'proftpd',
  'pure-ftpd',
  'pyftpdlib',
  'lftp',
  'tnftp',
  'inetutils-ftp',
  'openssl',
  'python3',
] as const;
export type PeerName = (typeof peerNames)[number];

const specs: Record<PeerName, PeerSpec> = {
  'tftpd-hpa': {
    package: 'tftpd-hpa',
    program: 'usr/sbin/in.tftpd',
    recognise: { args: ['--version'], says: 'tftp-hpa' },
    needsRoot: 'changes its user for every transfer',
  },
  atftpd: { package: 'atftpd', program: 'usr/sbin/atftpd' },
  dnsmasq: { package: 'dnsmasq-base', program: 'usr/sbin/dnsmasq', needsRoot: 'serves TFTP on port 69 only' },
  'tftp-hpa': {
    package: 'tftp-hpa',
    program: 'usr/bin/tftp',
    recognise: { args: ['-V'], says: 'tftp-hpa' },
  },
  atftp: { package: 'atftp', program: 'usr/bin/atftp' },
  busybox: { package: 'busybox', program: 'bin/busybox', recognise: { args: ['--list'], says: '\ntftp\n' } },
  curl: { package: 'curl', program: 'usr/bin/curl', recognise: { args: ['--version'], says: 'tftp' } },
  nginx: { package: 'nginx', program: 'usr/sbin/nginx' },
  vsftpd: { package: 'vsftpd', program: 'usr/sbin/vsftpd' },
  proftpd: { package: 'proftpd-core', program: 'usr/sbin/proftpd' },
  'pure-ftpd': {
    package: 'pure-ftpd',
    program: 'usr/sbin/pure-ftpd',
    needsRoot: 'changes its root and its user for every session',
  },
  pyftpdlib: {
    package: 'python3-pyftpdlib',
    program: 'usr/lib/python3/dist-packages',
    isModule: true,
    // Without the module for TLS there is no such class.
    recognise: {
      args: ['-c', 'from pyftpdlib.handlers import TLS_FTPHandler as found; print(found.__name__)'],
      says: 'TLS_FTPHandler',
    },
  },
  lftp: { package: 'lftp', program: 'usr/bin/lftp' },
  tnftp: { package: 'tnftp', program: 'usr/bin/tnftp' },
  'inetutils-ftp': { package: 'inetutils-ftp', program: 'usr/bin/inetutils-ftp' },
  openssl: {
    package: 'openssl',
    program: 'usr/bin/openssl',
    recognise: { args: ['version'], says: 'OpenSSL' },
  },
  python3: {
    package: 'python3',
    program: 'usr/bin/python3',
    recognise: { args: ['-c', 'import ftplib; print(ftplib.FTP.__name__)'], says: 'FTP\n' },
  },
};

/** A program and the environment that it needs beyond the usual one. */
export interface Command {
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
}

const prefix = process.env['TFTPLB_PEERS'] ?? path.join(import.meta.dirname, '../../.peers');
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin'];
const isRoot = process.getuid?.() === 0;

/** True on machines where a test that cannot run must fail. */
export const strict: boolean = (process.env['CI'] ?? '') !== '';

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function fetched(spec: PeerSpec): Command | undefined {
  const root = path.join(prefix, spec.package);
  const program = path.join(root, spec.program);
  if (!existsSync(program)) return undefined;
  const libraries = globSync(['lib/*-linux-gnu', 'usr/lib/*-linux-gnu'], { cwd: root });
  const searched = libraries.map((folder) => path.join(root, folder));
  return { program, env: searched.length === 0 ? {} : { LD_LIBRARY_PATH: searched.join(':') } };
}

/** What the installed package has, rather than a wrapper that goes by the same name. */
function installed(spec: PeerSpec): Command | undefined {
  const program = path.join('/', spec.program);
  return isExecutable(program) ? { program, env: {} } : undefined;
}

function onPath(spec: PeerSpec): Command | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(':'), ...systemFolders];
  const programs = folders.map((folder) => path.join(folder, path.basename(spec.program)));
  const program = programs.find((candidate) => isExecutable(candidate));
  return program === undefined ? undefined : { program, env: {} };
}

function isRight(command: Command, spec: PeerSpec): boolean {
  if (spec.recognise === undefined) return true;
  const { args, says } = spec.recognise;
  const env = { ...process.env, ...command.env };
  const { stdout, stderr } = spawnSync(command.program, args, { env, encoding: 'utf8', timeout: 5_000 });
  return `${stdout}${stderr}`.includes(says);
}

/** Python, told where the module is. */
function importing(spec: PeerSpec): Command | undefined {
  const python = peer('python3');
  const folder = path.join(prefix, spec.package, spec.program);
  return python && existsSync(folder) ? { ...python, env: { ...python.env, PYTHONPATH: folder } } : python;
}

function find(name: PeerName): Command | undefined {
  const spec = specs[name];
  const candidates =
    spec.isModule === true ? [importing(spec)] : [fetched(spec), installed(spec), onPath(spec)];
  return candidates.find((command) => command !== undefined && isRight(command, spec));
}

const found = new Map<PeerName, Command | undefined>();

/** The peer's program, or undefined if it is not on this machine. */
export function peer(name: PeerName): Command | undefined {
  if (!found.has(name)) found.set(name, find(name));
  return found.get(name);
}

/** The peer's program. Throws if it is not on this machine. */
export function requirePeer(name: PeerName): Command {
  const command = peer(name);
  if (command === undefined) throw new Error(`${name} was not found; \`npm run peers\` fetches it`);
  return command;
}

/** Why the peer cannot take part in a test; undefined if it can. */
export function obstacle(name: PeerName): string | undefined {
  if (peer(name) === undefined) return `${name} was not found`;
  const { needsRoot } = specs[name];
  return needsRoot === undefined || isRoot ? undefined : `${name} needs root: it ${needsRoot}`;
}

/** For `describe.skipIf`: true where one of them cannot take part, never where that must be a failure. */
export function lacks(...names: readonly PeerName[]): boolean {
  return !strict && names.some((name) => obstacle(name) !== undefined);
}
