/** ProFTPD with mod_proxy, for comparison: an FTP proxy with a process for each session. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import path from 'node:path';

import { type Command, peer } from '../../test/helpers/peers.ts';
import { loopback } from '../messages.ts';
import { Child } from '../run/child.ts';
import { type FtpStage, greetingOf } from '../run/ftp-stage.ts';
import { freeTcpPort } from '../wire/tcp-port.ts';
import type { RelayedFtpPath, TlsLegs } from './ftp-path.ts';

/** Loaded in this order: mod_proxy takes what it needs of TLS from mod_tls, even where there is none. */
const modules = ['mod_tls', 'mod_proxy'] as const;

/** Why nothing can be compared with it; undefined if it can. */
export function modProxyObstacle(): string | undefined {
  const proftpd = peer('proftpd');
  if (proftpd === undefined) return 'proftpd is not installed: nothing to compare with';
  const missing = modules.filter((module) => !existsSync(path.join(modulesOf(proftpd), `${module}.so`)));
  return missing.length === 0 ? undefined : `proftpd has no ${missing.join(', ')}: nothing to compare with`;
}

/** Starts it in front of the FTP server. Rejects where there is an obstacle. */
export async function startModProxy(stage: FtpStage, legs: TlsLegs = 'none'): Promise<RelayedFtpPath> {
  const proftpd = peer('proftpd');
  if (proftpd === undefined) throw new Error(modProxyObstacle());
  const port = await freeTcpPort();
  // Nobody else may write there.
  const folder = mkdtempSync(path.join(stage.folder, 'mod-proxy-'));
  const config = path.join(folder, 'proftpd.conf');
  writeFileSync(config, configuration(proftpd, folder, port, stage) + tlsConfiguration(legs, stage), {
    mode: 0o600,
  });
  const relay = new Child('proftpd', proftpd.program, ['--nodaemon', '--config', config], {
    core: stage.placement.relay,
    isUrgent: stage.isUrgent,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: proftpd.env,
  });
  await greetingOf(relay, port);
  const name = legs === 'both' ? 'mod_proxy, both legs' : 'mod_proxy';
  return { name, port, isSecure: legs !== 'none', relay };
}

function modulesOf({ program }: Command): string {
  return path.join(path.dirname(program), '../lib/proftpd');
}

/**
 * What it needs to serve as a reverse proxy, no names looked up and no logs written; otherwise its own defaults.
 */
function configuration(proftpd: Command, folder: string, port: number, { serverPort }: FtpStage): string {
  // Root may not serve as itself.
  const user = process.getuid?.() === 0 ? 'nobody' : userInfo().username;
  const group = execFileSync('id', ['-gn', user], { encoding: 'utf8' }).trim();
  return `ModulePath ${modulesOf(proftpd)}
${modules.map((module) => `LoadModule ${module}.c`).join('\n')}
ServerType standalone
ServerName bench
DefaultAddress ${loopback}
Port ${port}
SocketBindTight on
UseIPv6 off
UseReverseDNS off
User ${user}
Group ${group}
AuthOrder mod_auth_file.c
PidFile ${path.join(folder, 'pid')}
ScoreboardFile ${path.join(folder, 'scoreboard')}
ControlsEngine off
DelayEngine off
SystemLog none
TransferLog none
WtmpLog off
MaxInstances none
ProxyEngine on
ProxyTables ${path.join(folder, 'tables')}
ProxyRole reverse
ProxyReverseServers ftp://${loopback}:${serverPort}
`;
}

/**
 * Switched off towards servers where it is not wanted: it reads the certificates of all authorities for each session.
 * Its uploads to vsftpd fail under TLS 1.3.
 */
function tlsConfiguration(legs: TlsLegs, { certificate }: FtpStage): string {
  const client = `TLSEngine on
TLSLog none
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile ${certificate}
TLSECCertificateKeyFile ${certificate}
TLSRequired on
`;
  const server = 'ProxyTLSEngine on\nProxyTLSVerifyServer off\nProxyTLSProtocol TLSv1.2\n';
  return `${legs === 'none' ? 'TLSEngine off\n' : client}${legs === 'both' ? server : 'ProxyTLSEngine off\n'}`;
}
