/** The files that a configuration names, as far as a process needs them to start. */
import { readAdminToken } from '../app/admin-token.ts';
import { PasswordError, probeFor } from '../app/probes.ts';
import { ServiceCertificates } from '../app/service-certificates.ts';
import { UserMapFile } from '../app/user-map-file.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { Path } from '../config/document.ts';
import { ConfigError, type Fault } from '../config/fault.ts';
import type { MappedBackends } from '../config/findings.ts';
import type { Net } from '../net/net.ts';
import type { LoadedConfig } from './config-of.ts';

/**
 * Reads user maps, certificates, password, token, and looks for the commands of health checks. Resolves to the backends in the user maps.
 * Rejects with ConfigError with every file that cannot be used.
 */
export async function readNamedFiles(
  { config, document }: Pick<LoadedConfig, 'config' | 'document'>,
  net: Net,
): Promise<MappedBackends> {
  const mapped = new Map<string, readonly string[]>();
  const faults: Fault[] = [];
  const blame = (path: Path, error: unknown): void => {
    if (!isOurs(error)) throw error;
    faults.push({ source: document.nameOf(path), value: undefined, problem: error.message });
  };
  const { tokenFile } = config.admin;
  try {
    if (tokenFile !== undefined) readAdminToken(tokenFile);
  } catch (error) {
    blame(['admin', 'token-file'], error);
  }
  for (const service of config.services) {
    const place = ['services', service.name];
    try {
      probeFor(service, net, ignore, ignore);
    } catch (error) {
      blame([...place, 'health', error instanceof PasswordError ? 'password-file' : 'probe'], error);
    }
    await readCertificates(service, net).catch((error) =>
      blame([...place, ...certificatesOf(service)], error),
    );
    await mapUsers(service, net, mapped).catch((error) => blame([...place, 'ftp', 'user-map'], error));
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return mapped;
}

const ignore = (): undefined => undefined;

async function readCertificates(service: ServiceConfig, net: Net): Promise<void> {
  const certificates = await ServiceCertificates.open(service, {
    clock: net,
    emit: ignore,
    onChange: ignore,
  });
  certificates?.stop();
}

/** What names the files; the fault itself says which it is. */
function certificatesOf(service: ServiceConfig): Path {
  const isOwn = service.kind === 'ftp' && service.tls.client.keyPairs.length > 0;
  return isOwn ? ['ftp', 'tls', 'certificates'] : ['ftp', 'backend-tls', 'ca'];
}

async function mapUsers(
  service: ServiceConfig,
  net: Net,
  mapped: Map<string, readonly string[]>,
): Promise<void> {
  if (service.kind !== 'ftp' || service.userMap === undefined) return;
  const file = new UserMapFile(service.userMap, {
    clock: net,
    onChange: () => undefined,
    onFault: () => undefined,
  });
  const users = await file.read();
  mapped.set(service.userMap, [...new Set(users.values())]);
}

/** Something that the operator can mend. */
function isOurs(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('TLB_ERR_');
}
