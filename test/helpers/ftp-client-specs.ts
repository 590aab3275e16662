/** How each FTP client is told to take a list of steps in one session. */
import { isIPv6 } from 'node:net';
import path from 'node:path';
import { formatEndpoint } from '../../src/net/net.ts';
import { lacks, type PeerName } from './peers.ts';
import type { Exit } from './processes.ts';

/** Which command a client opens its data connections with. */
export const dataVerbs = ['PORT', 'PASV', 'EPRT', 'EPSV'] as const;
export type DataVerb = (typeof dataVerbs)[number];

export interface FtpTarget {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly verb: DataVerb;
  /** Without it all is in clear. */
  readonly tls?: FtpClientTls;
  /** Milliseconds until the client is killed. */
  readonly patience?: number;
}

export interface FtpClientTls {
  /** A file with whom it trusts. */
  readonly ca: string;
  readonly isImplicit?: boolean;
  readonly isDataClear?: boolean;
  /** The newest version that it may use. */
  readonly version?: '1.2' | '1.3';
}

export interface FtpStep {
  /** `list` is LIST of the folder `remote`. */
  readonly kind: 'download' | 'upload' | 'list';
  /** Relative to where the user arrives. */
  readonly remote: string;
  /** A path. */
  readonly local: string;
  /** To be resumed: how many bytes the receiving side has. */
  readonly from?: number;
}

interface Launch {
  readonly args: readonly string[];
  readonly input: string;
}

interface FtpClientSpec {
  /** Left out for a library of Node's. */
  readonly peer?: PeerName;
  /** What it can be told to use over IPv4. */
  readonly verbs: readonly DataVerb[];
  readonly ipv6Verbs: readonly DataVerb[];
  readonly launch: (target: FtpTarget, steps: readonly FtpStep[]) => Launch;
  /** Looks for what its exit code does not tell. */
  readonly failed?: (exit: Exit, steps: number) => boolean;
}

export const ftpClientNames = ['curl', 'lftp', 'tnftp', 'inetutils-ftp', 'ftplib', 'basic-ftp'] as const;
export type FtpClientName = (typeof ftpClientNames)[number];

const isActive = (verb: DataVerb): boolean => verb === 'PORT' || verb === 'EPRT';
const isExtended = (verb: DataVerb): boolean => verb === 'EPRT' || verb === 'EPSV';

function curlStep({ kind, local, from }: FtpStep): string[] {
  const resume = from === undefined ? [] : [`continue-at = ${from}`];
  return [`${kind === 'upload' ? 'upload-file' : 'output'} = "${local}"`, ...resume];
}

function curlTls({ ca, isDataClear = false, version }: FtpClientTls): string[] {
  return [
    isDataClear ? 'ftp-ssl-control' : 'ssl-reqd',
    `cacert = "${ca}"`,
    ...(version === undefined ? [] : [`tls-max = ${version}`]),
  ];
}

function curl({ address, port, user, password, verb, tls }: FtpTarget, steps: readonly FtpStep[]): Launch {
  const mode = [
    // It would connect to the control connection's address, whatever the server advertises.
    'no-ftp-skip-pasv-ip',
    ...(isActive(verb) ? ['ftp-port = "-"'] : []),
    ...(verb === 'PORT' ? ['disable-eprt'] : []),
    ...(verb === 'PASV' ? ['disable-epsv'] : []),
    ...(tls ? curlTls(tls) : []),
  ];
  const sections = steps.map((step) => {
    const file = step.kind === 'list' ? `${step.remote}/` : step.remote;
    const scheme = tls?.isImplicit === true ? 'ftps' : 'ftp';
    const url = `url = "${scheme}://${formatEndpoint(address, port)}/${file}"`;
    return [url, 'globoff', `user = "${user}:${password}"`, ...mode, ...curlStep(step)].join('\n');
  });
  return {
    args: ['--disable', '--silent', '--show-error', '--verbose', '--fail-early', '--config', '-'],
    input: sections.join('\nnext\n'),
  };
}

function lftpStep({ kind, remote, local, from }: FtpStep): string {
  if (kind === 'list') return `ls ${remote} > ${local}`;
  const resume = from === undefined ? '' : ' -c';
  return kind === 'upload' ? `put${resume} ${local} -o ${remote}` : `get${resume} ${remote} -o ${local}`;
}

function lftpTls({ ca, isDataClear = false, version }: FtpClientTls): string[] {
  const only = version === undefined ? [] : [`set ssl:priority NORMAL:-VERS-ALL:+VERS-TLS${version}`];
  return [
    'set ftp:ssl-force yes',
    `set ftp:ssl-protect-data ${!isDataClear}`,
    `set ftp:ssl-protect-list ${!isDataClear}`,
    `set ssl:ca-file ${ca}`,
    ...only,
  ];
}

function lftp({ address, port, user, password, verb, tls }: FtpTarget, steps: readonly FtpStep[]): Launch {
  const lines = [
    'set cmd:fail-exit yes',
    'set net:max-retries 1',
    'set net:timeout 60',
    ...(tls ? lftpTls(tls) : ['set ftp:ssl-allow no']),
    'set xfer:clobber yes',
    `set ftp:passive-mode ${!isActive(verb)}`,
    `set ftp:prefer-epsv ${isExtended(verb)}`,
    'debug 5',
    `open -u ${user},${password} ${tls?.isImplicit === true ? 'ftps' : 'ftp'}://${formatEndpoint(address, port)}`,
    ...steps.map(lftpStep),
  ];
  return { args: ['--norc'], input: `${lines.join('\n')}\n` };
}

function bsdStep({ kind, remote, local, from }: FtpStep): string[] {
  if (kind === 'list') return [`dir ${remote} ${local}`];
  if (kind === 'download') return [`${from === undefined ? 'get' : 'reget'} ${remote} ${local}`];
  return [...(from === undefined ? [] : [`restart ${from}`]), `put ${local} ${remote}`];
}

/** The clients that descend from BSD's differ in whether they start with the extended commands over IPv4. */
function bsd(startsExtended: boolean): FtpClientSpec['launch'] {
  return ({ address, port, user, password, verb }, steps) => {
    const mode = [isActive(verb) ? '-A' : '-p', isIPv6(address) ? '-6' : '-4'];
    const lines = [
      `user ${user} ${password}`,
      'binary',
      ...(isExtended(verb) === startsExtended ? [] : ['epsv4']),
      ...steps.flatMap(bsdStep),
      'bye',
    ];
    return {
      args: ['-n', '-i', '-v', '-d', ...mode, address, String(port)],
      input: `${lines.join('\n')}\n`,
    };
  };
}

/** They end with code 0 whatever happens, but print the replies. */
function bsdFailed({ stdout, stderr }: Exit, steps: number): boolean {
  return ((stdout + stderr).match(/^226 /gmu) ?? []).length < steps;
}

/** A program of ours leads a library. */
function led(program: string): FtpClientSpec['launch'] {
  return (target, steps) => ({
    args: [path.join(import.meta.dirname, program)],
    input: JSON.stringify({ ...target, isPassive: !isActive(target.verb), steps }),
  });
}

const extended: readonly DataVerb[] = ['EPRT', 'EPSV'];

export const ftpClientSpecs: Readonly<Record<FtpClientName, FtpClientSpec>> = {
  curl: { peer: 'curl', verbs: dataVerbs, ipv6Verbs: extended, launch: curl },
  // Its EPRT over IPv6 says that the address is `::`, which servers refuse.
  lftp: { peer: 'lftp', verbs: ['PORT', 'PASV', 'EPSV'], ipv6Verbs: ['EPSV'], launch: lftp },
  tnftp: { peer: 'tnftp', verbs: dataVerbs, ipv6Verbs: extended, launch: bsd(true), failed: bsdFailed },
  'inetutils-ftp': {
    peer: 'inetutils-ftp',
    verbs: dataVerbs,
    ipv6Verbs: extended,
    launch: bsd(false),
    failed: bsdFailed,
  },
  // Over IPv4 it knows nothing of the extended commands.
  ftplib: {
    peer: 'python3',
    verbs: ['PORT', 'PASV'],
    ipv6Verbs: extended,
    launch: led('ftplib-session.py'),
  },
  // It is never active.
  'basic-ftp': { verbs: ['PASV', 'EPSV'], ipv6Verbs: ['EPSV'], launch: led('basic-ftp-session.ts') },
};

/** For `describe.skipIf`, as `lacks`. */
export function lacksClient(client: FtpClientName): boolean {
  const { peer } = ftpClientSpecs[client];
  return peer !== undefined && lacks(peer);
}

/** What a client can be told to open its data connections with when it talks to `address`. */
export function verbsOf(client: FtpClientName, address: string): readonly DataVerb[] {
  const { verbs, ipv6Verbs } = ftpClientSpecs[client];
  return isIPv6(address) ? ipv6Verbs : verbs;
}
