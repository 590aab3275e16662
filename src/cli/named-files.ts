/** The files that a configuration names, as far as a process needs them to start. */
import { readAdminToken } from '../app/admin-token.ts';
import { CertificateFiles, type CertificatePaths } from '../app/certificate-files.ts';
import { PasswordError, probeFor } from '../app/probes.ts';
import { UserMapFile } from '../app/user-map-file.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { Path } from '../config/document.ts';
import { ConfigError, type Fault } from '../config/fault.ts';
import type { MappedBackends } from '../config/findings.ts';
import type { Net } from '../net/net.ts';
import type { LoadedConfig } from './config-of.ts';

/** What they say, as far as warnings come of it. */
interface NamedFiles {
  readonly mapped: MappedBackends;
  /** What is odd about certificates, one sentence each. */
  readonly doubts: readonly string[];
}

/**
 * Reads user maps, certificates, password, token, and looks for the commands of health checks. Rejects with ConfigError with every file that cannot be used.
 */
export async function readNamedFiles(
  { config, document }: Pick<LoadedConfig, 'config' | 'document'>,
  net: Net,
): Promise<NamedFiles> {
  const mapped = new Map<string, readonly string[]>();
  const doubts: string[] = [];
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
    for (const { place: key, paths } of certificatesOf(service)) {
      try {
        doubts.push(...(await readCertificates(paths, net)));
      } catch (error) {
        blame([...place, ...key], error);
      }
    }
    await mapUsers(service, net, mapped).catch((error) => blame([...place, 'ftp', 'user-map'], error));
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return { mapped, doubts };
}

const ignore = (): undefined => undefined;

/** Files that mean something together, and what names them. */
interface NamedCertificates {
  readonly place: Path;
  readonly paths: CertificatePaths;
}

/** Each by itself, so that what is wrong with one hides no other. */
function certificatesOf(service: ServiceConfig): NamedCertificates[] {
  if (service.kind !== 'ftp') return [];
  const { client, backend } = service.tls;
  const none = { keyPairs: [], clientCa: undefined, backendCa: undefined };
  return [
    ...client.keyPairs.map((pair) => ({
      place: ['ftp', 'tls', 'certificates'],
      paths: { ...none, keyPairs: [pair] },
    })),
    { place: ['ftp', 'tls', 'client-ca'], paths: { ...none, clientCa: client.ca } },
    { place: ['ftp', 'backend-tls', 'ca'], paths: { ...none, backendCa: backend.ca } },
  ];
}

/** Resolves to what is odd about them. */
async function readCertificates(paths: CertificatePaths, clock: Net): Promise<readonly string[]> {
  const files = new CertificateFiles(paths, {
    clock,
    now: () => new Date(),
    onChange: ignore,
    onFault: ignore,
  });
  const { doubts } = await files.read();
  return doubts;
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
