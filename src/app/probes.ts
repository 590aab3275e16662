import { readFileSync } from 'node:fs';

import type { FtpHealthConfig, ServiceConfig } from '../config/config.ts';
import { type FtpLogin, FtpProbe } from '../health/ftp-probe.ts';
import type { Probe } from '../health/probe.ts';
import { TftpProbe } from '../health/tftp-probe.ts';
import type { Net } from '../net/net.ts';

/** The file with the password of the health checks cannot be read. */
export class PasswordError extends Error {
  override readonly name = 'PasswordError';
  readonly code = 'TLB_ERR_PASSWORD';
}

/** How the backends of a service are checked. Throws PasswordError. */
export function probeFor(service: ServiceConfig, net: Net): Probe {
  const { timeout } = service.health;
  if (service.kind === 'tftp') return new TftpProbe(net, { file: service.health.file, timeout });
  return new FtpProbe(net, { timeout, login: loginOf(service.health) });
}

function loginOf({ user, password, passwordFile }: FtpHealthConfig): FtpLogin | undefined {
  if (user === undefined) return undefined;
  const secret = password ?? (passwordFile === undefined ? '' : passwordIn(passwordFile));
  return { user: bytesOf(user), password: bytesOf(secret) };
}

function passwordIn(path: string): string {
  try {
    return readFileSync(path, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new PasswordError(`cannot read the password of the health checks: ${reason}`, { cause });
  }
}

/** UTF-8, one character a byte. */
function bytesOf(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
