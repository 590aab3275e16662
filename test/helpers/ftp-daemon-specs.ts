/** How each FTP server is told to serve one folder to one user, as root and as anybody else. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';
import type { Command, PeerName } from './peers.ts';

export interface FtpPlace {
  readonly address: string;
  readonly isIPv6: boolean;
  readonly port: number;
  /** Served to the user, who may do everything in it. */
  readonly root: string;
  /** The server's own folder, where nobody else may write. */
  readonly etc: string;
  readonly command: Command;
  readonly user: string;
  /** Without it the server knows nothing of TLS. */
  readonly tls: FtpServerTls | undefined;
}

/** A server under TLS demands that of logins and, unless `isDataClear`, of data connections; of neither if `isLenient`. */
export interface FtpServerTls {
  /** A file with the certificate and its key. */
  readonly file: string;
  readonly isImplicit?: boolean;
  readonly isDataClear?: boolean;
  /** Clients may do without TLS; vsftpd lets them end data connections without a close_notify, too. */
  readonly isLenient?: boolean;
  /** The newest version that it may take. */
  readonly version?: '1.2' | '1.3';
}

interface FtpServerSpec {
  readonly peer: PeerName;
  /** Whom it serves if nobody else is named; vsftpd can serve nobody else. */
  readonly user: string;
  readonly password: string;
  /** Writes what the server reads at its start and returns its arguments. */
  readonly launch: (place: FtpPlace) => readonly string[];
}

export const ftpServerNames = ['vsftpd', 'proftpd', 'pure-ftpd', 'pyftpdlib'] as const;
export type FtpServerName = (typeof ftpServerNames)[number];

const user = 'user';
const password = 'secret';
/** The password as crypt(3) has it, of which Node knows nothing. */
const crypted = '$5$tftplb$8m34K/ELEdcizJeBVwAKeaAu6HpVIDjhCdZuiYMEq74';

/** Root may not log in, so that a server of root serves as nobody. */
const { uid, gid, username } =
  process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534, username: 'nobody' } : userInfo();

/** Where vsftpd writes how each transfer ended. */
export function logOf(etc: string): string {
  return path.join(etc, 'log');
}

/** Its local users come from PAM, whose files are root's, but its anonymous one may be allowed everything. */
const vsftpdConfig = ({ address, isIPv6, port, root, etc, tls }: FtpPlace): string => `
${isIPv6 ? 'listen_ipv6' : 'listen'}=YES
${isIPv6 ? 'listen_address6' : 'listen_address'}=${address}
listen_port=${port}
background=NO
run_as_launching_user=YES
anonymous_enable=YES
local_enable=NO
anon_root=${root}
anon_world_readable_only=NO
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
write_enable=YES
connect_from_port_20=NO
max_per_ip=0
tcp_wrappers=NO
isolate=NO
isolate_network=NO
seccomp_sandbox=NO
xferlog_enable=YES
vsftpd_log_file=${logOf(etc)}
${tls === undefined ? '' : vsftpdTls(tls)}`;

/** As strict as it can be: data connections resume the control connection's session, and end with a close_notify. */
const vsftpdTls = ({
  file,
  isImplicit = false,
  isDataClear = false,
  isLenient = false,
}: FtpServerTls): string => `
ssl_enable=YES
allow_anon_ssl=YES
force_anon_logins_ssl=${isLenient ? 'NO' : 'YES'}
force_anon_data_ssl=${isDataClear || isLenient ? 'NO' : 'YES'}
require_ssl_reuse=YES
strict_ssl_write_shutdown=${isLenient ? 'NO' : 'YES'}
strict_ssl_read_eof=${isLenient ? 'NO' : 'YES'}
ssl_ciphers=HIGH
implicit_ssl=${isImplicit ? 'YES' : 'NO'}
rsa_cert_file=${file}
`;

const proftpdConfig = ({ address, port, etc, command, tls }: FtpPlace): string => `
ServerType standalone
ServerName test
DefaultAddress ${address}
Port ${port}
SocketBindTight on
UseIPv6 on
UseReverseDNS off
User ${username}
Group ${groupName()}
AuthOrder mod_auth_file.c
AuthPAM off
AuthUserFile ${path.join(etc, 'passwd')}
RequireValidShell off
PidFile ${path.join(etc, 'pid')}
ScoreboardFile ${path.join(etc, 'scoreboard')}
ControlsEngine off
DelayEngine off
SystemLog none
TransferLog none
WtmpLog off
AllowOverwrite on
AllowStoreRestart on
AllowRetrieveRestart on
MaxInstances none
${tls === undefined ? '' : proftpdTls(tls, path.join(path.dirname(command.program), '../lib/proftpd'))}`;

/** By itself it demands that data connections resume the control connection's session. */
const proftpdTls = (
  { file, isImplicit = false, isDataClear = false, isLenient = false }: FtpServerTls,
  modules: string,
): string => `
ModulePath ${modules}
LoadModule mod_tls.c
TLSEngine on
TLSLog none
TLSProtocol TLSv1.2 TLSv1.3
TLSRSACertificateFile ${file}
TLSRSACertificateKeyFile ${file}
TLSRequired ${isLenient ? 'off' : isDataClear ? 'ctrl' : 'on'}
${isImplicit ? 'TLSOptions UseImplicitSSL' : ''}
`;

/** 1: whoever wants it, 2: on the control connection, 3: on data connections, too. */
function pureLevel({ isDataClear = false, isLenient = false }: FtpServerTls): number {
  if (isLenient) return 1;
  return isDataClear ? 2 : 3;
}

/** Its command line knows nothing of TLS. */
function pyftpdlibMain(tls: FtpServerTls | undefined): string[] {
  if (tls === undefined) return ['-m', 'pyftpdlib', '--write'];
  const { file, isDataClear = false, isLenient = false } = tls;
  return [
    path.join(import.meta.dirname, 'pyftpdlib-tls.py'),
    `--certificate=${file}`,
    ...(isLenient ? [] : ['--demand-control']),
    ...(isLenient || isDataClear ? [] : ['--demand-data']),
  ];
}

function groupName(): string {
  return execFileSync('id', ['-gn', username], { encoding: 'utf8' }).trim();
}

/** Writes a file that its user alone may read. */
function secretly(folder: string, name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text, { mode: 0o600 });
  return file;
}

export const ftpServerSpecs: Readonly<Record<FtpServerName, FtpServerSpec>> = {
  vsftpd: {
    peer: 'vsftpd',
    user: 'anonymous',
    password,
    launch: (place) => [secretly(place.etc, 'config', vsftpdConfig(place))],
  },
  proftpd: {
    peer: 'proftpd',
    user,
    password,
    launch: (place) => {
      secretly(place.etc, 'passwd', `${place.user}:${crypted}:${uid}:${gid}::${place.root}:/bin/false\n`);
      return ['--nodaemon', '--config', secretly(place.etc, 'config', proftpdConfig(place))];
    },
  },
  'pure-ftpd': {
    peer: 'pure-ftpd',
    user,
    password,
    launch: ({ address, isIPv6, port, root, etc, command, user: own, tls }) => {
      const passwd = secretly(
        etc,
        'passwd',
        `${own}:${crypted}:${uid}:${gid}::${root}/./${':'.repeat(12)}\n`,
      );
      const database = path.join(etc, 'database');
      const compiler = path.join(path.dirname(command.program), '../bin/pure-pw');
      execFileSync(compiler, ['mkdb', database, '-f', passwd], { env: { ...process.env, ...command.env } });
      return [
        isIPv6 ? '--ipv6only' : '--ipv4only',
        `--bind=${address},${port}`,
        `--login=puredb:${database}`,
        '--noanonymous',
        '--minuid=1',
        '--dontresolve',
        '--maxclientsnumber=500',
        '--maxclientsperip=500',
        `--pidfile=${path.join(etc, 'pid')}`,
        ...(tls ? [`--tls=${pureLevel(tls)}`, `--certfile=${tls.file}`] : []),
      ];
    },
  },
  pyftpdlib: {
    peer: 'pyftpdlib',
    user,
    password,
    launch: ({ address, port, root, user: own, tls }) => [
      ...pyftpdlibMain(tls),
      `--interface=${address}`,
      `--port=${port}`,
      `--directory=${root}`,
      `--username=${own}`,
      `--password=${password}`,
    ],
  },
};
