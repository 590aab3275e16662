import { describe, expect, it } from 'vitest';
import { type FindingKind, findingKinds, findings, type Machine } from '../../../src/config/findings.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { FlagValues } from '../../../src/config/sources.ts';

const tftp: FlagValues = { ftp: false };
const ftp: FlagValues = { tftp: false };
const machine: Machine = {
  descriptors: 1_000_000,
  ephemeralPorts: { first: 32_768, last: 60_999 },
  addresses: ['127.0.0.1', '192.0.2.1'],
  engine: 'portable',
};
const mapped = new Map([['/etc/users', ['a', 'c', 'd']]]);
const shared: Machine = { ...machine, engine: 'linux' };

function found(flags: FlagValues, on: Machine = machine): { kind: FindingKind; message: string }[] {
  return findingsOf({ backend: ['a', 'b'], ...flags }, on);
}

function findingsOf(flags: FlagValues, on = machine): { kind: FindingKind; message: string }[] {
  const loaded = loadConfig({ vip: ['0.0.0.0'], ...flags }, {});
  if (loaded.kind === 'faulty') throw new Error('the test needs a sound configuration');
  return findings(loaded.config, on, (path) => loaded.document.nameOf(path), mapped);
}

const cases: [FindingKind, FlagValues, string, Machine?][] = [
  [
    'port-range-small',
    { tidPorts: '40000-40999' },
    'carries 1000 sessions per address, --max-sessions allows 5000',
  ],
  [
    'port-range-small',
    {},
    '--max-sessions 5000 can need 10000 local ports, this system has 9000',
    { ...machine, ephemeralPorts: { first: 40_000, last: 48_999 } },
  ],
  [
    'port-range-small',
    { singlePort: true },
    '--max-sessions 5000 can need 5000 local ports, this system has 1000',
    { ...machine, ephemeralPorts: { first: 60_000, last: 60_999 } },
  ],
  ['port-range-overlap', { tidPorts: '5000-15000', tftpPort: '6969' }, 'contains the listening port 6969'],
  [
    'port-range-small',
    { passivePorts: '50000-50099' },
    '--passive-ports 50000-50099 carries 100 passive clients about to connect, on all addresses together, --ftp-max-sessions allows 2000',
  ],
  ['port-range-overlap', { passivePorts: '2000-5000', ftpPort: '2121' }, 'contains the listening port 2121'],
  [
    'descriptors-short',
    tftp,
    'can need 15128 descriptors, the limit of this process is 1024 (enough for 298',
    { ...machine, descriptors: 1024 },
  ],
  [
    'descriptors-short',
    { ...tftp, singlePort: true },
    '(enough for 448 sessions)',
    { ...machine, descriptors: 1024 },
  ],
  [
    'descriptors-short',
    tftp,
    'can need 5512 descriptors, the limit of this process is 1024 (enough for 512',
    { ...shared, descriptors: 1024 },
  ],
  [
    'descriptors-short',
    { ...tftp, transparent: true },
    'can need 10512 descriptors',
    { ...shared, descriptors: 10_511 },
  ],
  [
    'port-range-small',
    tftp,
    '--max-sessions 5000 can need 5000 local ports, this system has 4999',
    { ...shared, ephemeralPorts: { first: 50_001, last: 54_999 } },
  ],
  ['descriptors-short', tftp, '(enough for 0 sessions)', { ...machine, descriptors: 64 }],
  [
    'descriptors-short',
    ftp,
    '--ftp-max-sessions 2000 can need 10128 descriptors, the limit of this process is 1024 (enough for 179',
    { ...machine, descriptors: 1024 },
  ],
  [
    'descriptors-short',
    {},
    '--max-sessions 5000 and --ftp-max-sessions 2000 can need 25128 descriptors together',
    { ...machine, descriptors: 20_000 },
  ],
  ['no-session-limit', { maxSessions: '0' }, '--max-sessions 0'],
  ['limit-without-effect', { maxSessionsPerClient: '6000' }, '--max-sessions-per-client 6000 is above'],
  ['limit-without-effect', { maxSessionsPerBackend: '6000' }, '--max-sessions-per-backend 6000 is above'],
  ['limit-without-effect', { maxSessionsPerBackend: '100' }, '2 backends with 100 each carry 200'],
  ['no-session-limit', { ftpMaxSessions: '0' }, '--ftp-max-sessions 0'],
  [
    'limit-without-effect',
    { ftpMaxSessionsPerClient: '3000' },
    '--ftp-max-sessions-per-client 3000 is above',
  ],
  ['limit-without-effect', { ftpMaxSessionsPerBackend: '100' }, '2 backends with 100 each carry 200'],
  ['health-off', { healthInterval: '0' }, 'without health checks'],
  ['health-timeout-long', { healthTimeout: '6s' }, '--health-timeout 6s is above --health-interval 5s'],
  ['try-interval-long', { tryInterval: '4s' }, '--try-interval 4s'],
  ['backend-twice', { ...tftp, backend: ['a', 'a:69,name=x'] }, 'backends a and x are the same server, a:69'],
  [
    'backend-twice',
    { backend: ['a'], ftpBackend: ['a:21'] },
    'backends a and a:21 are the same server, a:21',
  ],
  [
    'user-without-backend',
    { ...ftp, ftpUserMap: '/etc/users' },
    '--ftp-user-map /etc/users has users of "c" (and 1 more), and service ftp has no such backend',
  ],
  ['open-to-writes', { ...tftp, vip: ['9.9.9.9'] }, 'takes writes from whoever reaches 9.9.9.9'],
  [
    'open-to-writes',
    tftp,
    '--read-only refuses them, --allow says who may',
    { ...machine, addresses: ['10.0.0.1', '9.9.9.9'] },
  ],
  [
    'backend-unverified',
    { backendTls: 'required', backendTlsInsecure: true },
    '--backend-tls-insecure takes any certificate',
  ],
  [
    'passthrough-blind',
    { ftpTls: 'passthrough', ftpDeny: 'SITE' },
    '--ftp-tls passthrough reads nothing of service ftp',
  ],
  [
    'tls-without-effect',
    { tlsCert: ['a.pem'] },
    '--tls-cert has no effect with --ftp-tls off: allowed or required lets clients have TLS',
  ],
  [
    'tls-without-effect',
    { tlsClientCa: 'a.pem', ftpTls: 'passthrough' },
    '--tls-client-ca has no effect with --ftp-tls passthrough',
  ],
  [
    'tls-without-effect',
    { backendTlsCa: 'a.pem' },
    '--backend-tls-ca has no effect with --backend-tls off: servers of ftp are spoken to in clear',
  ],
  ['tls-without-effect', { backendTlsName: 'a.example' }, '--backend-tls-name has no effect'],
  ['admin-public', { admin: '192.0.2.1:9069' }, '--admin 192.0.2.1:9069'],
  [
    'admin-public',
    { admin: '192.0.2.1:9069', adminTokenFile: '/etc/token' },
    'its token crosses the network as it is',
  ],
];

describe('findings', () => {
  it('are none for a plain configuration', () => {
    expect(found({})).toEqual([]);
    expect(found({ maxSessions: '14000' }, { ...machine, descriptors: undefined })).toEqual([]);
    expect(found({ vip: ['9.9.9.9'], allow: ['10.0.0.0/8'] })).toEqual([]);
    expect(found({ admin: false, tidPorts: '40000-45000', passivePorts: '50000-52000' })).toEqual([]);
  });

  it('leave ports and descriptors that sessions share out of account', () => {
    const small = { ...shared, descriptors: 5512, ephemeralPorts: { first: 50_000, last: 54_999 } };
    expect(found(tftp, small)).toEqual([]);
    expect(found({ ...tftp, tidPorts: '40000-40007' }, shared)).toEqual([]);
  });

  it('say nothing of how many backends will be found', () => {
    const flags = {
      vip: ['10.0.0.1'],
      backendsDns: 'a.example',
      maxSessionsPerBackend: '1',
      ftpUserMap: '/etc/users',
    };
    expect(findingsOf(flags)).toEqual([]);
  });

  it.each(cases)('report %s for %j', (kind, flags, text, on) => {
    const [finding, ...others] = found(flags, on);
    expect(finding).toEqual({ kind, message: expect.stringContaining(text) });
    expect(others).toEqual([]);
  });

  it('are all covered here', () => {
    expect(new Set(cases.map(([kind]) => kind))).toEqual(new Set(findingKinds));
  });
});
