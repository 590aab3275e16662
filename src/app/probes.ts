import { createHash } from 'node:crypto';
import { accessSync, constants } from 'node:fs';

import type { FoundBackend } from '../balance/pool.ts';
import { readFirstLine } from '../config/bounded-file.ts';
import type { FtpHealthConfig, FtpServiceConfig, ProbeSpec, ServiceConfig } from '../config/config.ts';
import { FtpTls } from '../engine/ftp-tls.ts';
import { ExecProbe } from '../health/exec-probe.ts';
import { type FtpLogin, FtpProbe, type FtpProbeTls } from '../health/ftp-probe.ts';
import type { Probe } from '../health/probe.ts';
import { TcpProbe } from '../health/tcp-probe.ts';
import { type Digest, TftpContentProbe } from '../health/tftp-content-probe.ts';
import { TftpProbe } from '../health/tftp-probe.ts';
import type { Endpoint, Net } from '../net/net.ts';
import { createNodeTls } from '../net/node-tls.ts';
import { encodeProxyHeader } from '../net/proxy-header.ts';
import type { TlsSession } from '../net/tls.ts';
import type { Emit } from '../observe/events.ts';
import type { Certificates } from './certificate-files.ts';
import { startCommand } from './commands.ts';
import { tlsRulesOf } from './service-spec.ts';

type CertificatesNow = () => Certificates | undefined;

/** The file with the password of the health checks cannot be read. */
export class PasswordError extends Error {
  override readonly name = 'PasswordError';
  readonly code = 'TLB_ERR_PASSWORD';
}

/** The command of the health checks is not there, or is none. */
export class ProbeCommandError extends Error {
  override readonly name = 'ProbeCommandError';
  readonly code = 'TLB_ERR_PROBE_COMMAND';
}

/**
 * How the backends of a service are checked. `certificates` has those of the service at the moment of a
 * check. Throws PasswordError or ProbeCommandError.
 */
export function probeFor(service: ServiceConfig, net: Net, emit: Emit, certificates: CertificatesNow): Probe {
  const { probe, timeout } = service.health;
  if (probe.kind === 'tcp') return new TcpProbe(net, { port: probe.port, timeout });
  return probe.kind === 'exec'
    ? ofCommand(probe, service, net, emit)
    : ofProtocol(service, net, certificates);
}

function ofProtocol(service: ServiceConfig, net: Net, certificates: CertificatesNow): Probe {
  const { timeout } = service.health;
  if (service.kind === 'ftp') {
    const login = loginOf(service.health);
    return new FtpProbe(net, {
      timeout,
      login,
      ...preambleOf(service),
      ...tlsOf(service, net, certificates),
    });
  }
  const { file, sha256 } = service.health;
  if (sha256 === undefined) return new TftpProbe(net, { file, timeout });
  return new TftpContentProbe(net, { file, timeout, expected: sha256, digest: sha256Digest });
}

/** The header says that the connection is the proxy's own. */
function preambleOf({ proxy }: FtpServiceConfig): { readonly preamble?: Uint8Array } {
  const nobody = { address: '', port: 0 };
  return proxy.version === undefined ? {} : { preamble: encodeProxyHeader(proxy.version, nobody, nobody) };
}

function tlsOf(
  { tls }: FtpServiceConfig,
  net: Net,
  certificates: CertificatesNow,
): { readonly tls?: FtpProbeTls } {
  const { backend } = tls;
  if (backend.mode === 'off') return {};
  let source: FtpTls | undefined;
  const openSession = (at: FoundBackend | Endpoint): TlsSession => {
    const rules = { ...tlsRulesOf(tls, certificates()), server: undefined };
    source ??= new FtpTls(createNodeTls(net), rules);
    source.update(rules);
    return source.openBackendSession('host' in at ? (at.host ?? at.address) : at.address);
  };
  return {
    tls: {
      openSession,
      isImplicit: backend.isImplicit,
      isRequired: backend.mode === 'required',
      isDataProtected: backend.data !== 'C',
    },
  };
}

function sha256Digest(): Digest {
  const hash = createHash('sha256');
  return { update: (bytes) => void hash.update(bytes), end: () => hash.digest('hex') };
}

function ofCommand(
  { program, args }: Extract<ProbeSpec, { kind: 'exec' }>,
  { name: service, health }: ServiceConfig,
  net: Net,
  emit: Emit,
): Probe {
  try {
    accessSync(program, constants.X_OK);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ProbeCommandError(`health checks cannot run ${program}: ${reason}`, { cause });
  }
  return new ExecProbe(net, startCommand, {
    program,
    args,
    timeout: health.timeout,
    onOutput: ({ name }, line) => emit({ kind: 'health.output', service, backend: name, line }),
  });
}

function loginOf({ user, password, passwordFile }: FtpHealthConfig): FtpLogin | undefined {
  if (user === undefined) return undefined;
  const secret = password ?? (passwordFile === undefined ? '' : passwordIn(passwordFile));
  return { user: bytesOf(user), password: bytesOf(secret) };
}

function passwordIn(path: string): string {
  try {
    return readFirstLine(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PasswordError(`cannot read the password of the health checks: ${reason}`, { cause });
  }
}

/** UTF-8, one character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
