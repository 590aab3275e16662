import type { Pool } from '../balance/pool.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { FtpTlsConfig } from '../config/config.ts';
import type { FtpTlsRules, Service } from '../engine/snapshot.ts';
import type { Certificates } from './certificate-files.ts';
import type { ServiceTraffic } from './traffic.ts';

/** What a service has beside its configuration. */
export interface ServiceState {
  /** Its row in the scoreboard. */
  readonly index: number;
  readonly pool: Pool;
  /** Without ports where the service is none of FTP. */
  readonly passivePool: SharedArrayBuffer;
  /** Text of its user map; undefined where it has none. */
  readonly userMap: string | undefined;
  /** Undefined where it has none. */
  readonly certificates: Certificates | undefined;
  readonly traffic: ServiceTraffic;
}

/** What the data plane needs to know of a service. */
export function specOf(config: ServiceConfig, state: ServiceState): Service {
  const { name, listeners, policy, limits } = config;
  const { index, pool, passivePool, userMap, certificates, traffic } = state;
  const { access, rates, affinity, routes } = traffic;
  const common = { index, name, listeners, pool, policy, limits, access, rates, affinity };
  if (config.kind === 'tftp') {
    const { kind, tids, requests, timing } = config;
    return { kind, ...common, tids, requests, routes, timing };
  }
  const { kind, commands, data, timing, proxy, userMapKey } = config;
  const tls = tlsRulesOf(config.tls, certificates);
  const users = userMap !== undefined && { userMap };
  return { kind, ...common, commands, data, timing, tls, proxy, passivePool, userMapKey, ...users };
}

/** `found` are the certificates of the service, as they are now. */
export function tlsRulesOf(
  { mode, client, backend }: FtpTlsConfig,
  found: Certificates | undefined,
): FtpTlsRules {
  const { handshakeTimeout, eof, dataResumption } = client;
  const { keyPairs = [], clientCa, backendCa } = found ?? {};
  const common = { handshakeTimeout, eof };
  return {
    isPassthrough: mode === 'passthrough',
    policy: {
      client: mode === 'passthrough' ? 'off' : mode,
      isClientDataRequired: client.isDataRequired,
      backend: backend.mode,
      isBackendImplicit: backend.isImplicit,
      backendData: backend.data,
    },
    server:
      keyPairs.length === 0
        ? undefined
        : {
            ...common,
            minVersion: client.minVersion,
            keyPairs,
            clientCa,
            clientCertificate: client.certificate,
            dataResumption,
          },
    client:
      backend.mode === 'off'
        ? undefined
        : { ...common, minVersion: backend.minVersion, ca: backendCa, isVerified: backend.isVerified },
    serverName: backend.serverName,
  };
}
