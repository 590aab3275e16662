import { describe, expect, it } from 'vitest';
import type { FtpServiceConfig } from '../../../src/config/config.ts';
import { faultText } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { FlagValues } from '../../../src/config/sources.ts';

const least = { vip: ['192.0.2.1'], backend: ['192.0.2.11'], tftp: false } satisfies FlagValues;

function serviceOf(flags: FlagValues): FtpServiceConfig {
  const loaded = loadConfig({ ...least, ...flags }, {});
  if (loaded.kind === 'faulty') throw new Error(loaded.faults.map(faultText).join('\n'));
  const [service] = loaded.config.services;
  if (service?.kind !== 'ftp') throw new Error('no FTP');
  return service;
}

function faultsOf(flags: FlagValues): string[] {
  const loaded = loadConfig({ ...least, ...flags }, {});
  return loaded.kind === 'faulty' ? loaded.faults.map(faultText) : [];
}

describe('TLS and proxies of FTP', () => {
  it('take every option from flags', () => {
    const { tls, proxy } = serviceOf({
      ftpTls: 'required',
      tlsCert: ['a.pem', 'b.pem'],
      tlsKey: ['a.key', 'b.key'],
      tlsMinVersion: '1.3',
      tlsClientCa: 'clients.pem',
      tlsClientCert: 'required',
      ftpDataTls: 'required',
      dataTlsResume: 'require',
      tlsEof: 'lenient',
      tlsHandshakeTimeout: '3s',
      backendTls: 'required',
      backendTlsImplicit: true,
      backendTlsCa: 'servers.pem',
      backendTlsName: 'files.example',
      backendTlsInsecure: true,
      backendTlsMinVersion: '1.3',
      backendDataTls: 'match',
      proxyProtocolFrom: '10.0.0.0/8,192.0.2.7',
      backendProxyProtocol: 'v2',
      proxyProtocolTimeout: '2s',
    });
    expect(tls).toEqual({
      mode: 'required',
      client: {
        keyPairs: [
          { certificate: 'a.pem', key: 'a.key' },
          { certificate: 'b.pem', key: 'b.key' },
        ],
        ca: 'clients.pem',
        certificate: 'required',
        minVersion: 'TLSv1.3',
        isDataRequired: true,
        dataResumption: 'require',
        eof: 'lenient',
        handshakeTimeout: 3_000,
      },
      backend: {
        mode: 'required',
        isImplicit: true,
        ca: 'servers.pem',
        serverName: 'files.example',
        isVerified: false,
        minVersion: 'TLSv1.3',
        data: 'match',
      },
    });
    expect(proxy).toEqual({
      trusted: [
        { address: '10.0.0.0', prefix: 8 },
        { address: '192.0.2.7', prefix: 32 },
      ],
      version: 2,
      timeout: 2_000,
    });
  });

  it('have user maps know users by their certificates', () => {
    const flags = { ftpTls: 'allowed', tlsCert: ['a.pem'], tlsClientCa: 'clients.pem', ftpUserMap: 'users' };
    expect(serviceOf({ ...flags, ftpUserMapKey: 'subject' }).userMapKey).toBe('subject');
    const { ftpTls: _, ...implicit } = { ...flags, ftpsPort: '990', ftpUserMapKey: 'subject' };
    expect(serviceOf(implicit).userMapKey).toBe('subject');
  });

  it('have a listener for TLS from the beginning on each address', () => {
    const { listeners } = serviceOf({ vip: ['192.0.2.1', '::1'], ftpsPort: '990', tlsCert: ['a.pem'] });
    expect(listeners).toEqual([
      { address: '192.0.2.1', port: 21 },
      { address: '::1', port: 21 },
      { address: '192.0.2.1', port: 990, isImplicit: true },
      { address: '::1', port: 990, isImplicit: true },
    ]);
  });

  it('may have certificates and keys in the same files', () => {
    const { keyPairs } = serviceOf({ ftpTls: 'allowed', tlsCert: ['a.pem'] }).tls.client;
    expect(keyPairs).toEqual([{ certificate: 'a.pem', key: 'a.pem' }]);
  });

  const withTls = { ftpTls: 'required', tlsCert: ['a.pem'] };
  const withSubjects = { ...withTls, tlsClientCa: 'clients.pem' };
  const withMap = { ...withTls, ftpUserMap: 'users' };
  const byCertificate = { ...withSubjects, ...withMap, ftpUserMapKey: 'subject' };
  const faulty: readonly (readonly [FlagValues, string])[] = [
    [{ ftpTls: 'required' }, '--ftp-tls "required": needs --tls-cert'],
    [{ ftpsPort: '990' }, '--ftps-port "990": needs --tls-cert'],
    [
      { ftpTls: 'allowed', tlsCert: ['a', 'b'], tlsKey: ['a'] },
      '--tls-cert and --tls-key: are 2 and 1: give one key for each certificate, in the same order',
    ],
    [{ tlsKey: ['a'] }, '--tls-key: needs --tls-cert'],
    [
      { ...withTls, ftpPort: '2121', ftpsPort: '2121' },
      '--ftps-port "2121": sessions at 192.0.2.1:2121 begin in clear; give another port, such as 990',
    ],
    [
      { ftpTls: 'allowed', tlsCert: ['a'], tlsClientCert: 'required' },
      '--tls-client-cert "required": needs --tls-client-ca',
    ],
    [
      { backendTls: 'match', backendTlsImplicit: true },
      '--backend-tls-implicit and --backend-tls: do not go together: TLS from the beginning is TLS in any case; say required',
    ],
    [
      { proxyProtocolFrom: '10.0.0.0/40' },
      '--proxy-protocol-from "10.0.0.0/40": expected networks behind commas, such as 10.0.0.0/8,fd00::/8',
    ],
    [{ ...withSubjects, ftpUserMapKey: 'subject' }, '--ftp-user-map-key "subject": needs --ftp-user-map'],
    [{ ...withMap, ftpUserMapKey: 'subject' }, '--ftp-user-map-key "subject": needs --tls-client-ca'],
    [{ ...byCertificate, ftpTls: 'off' }, '--ftp-user-map-key "subject": needs --ftp-tls'],
    [{ ...byCertificate, ftpTls: 'passthrough' }, '--ftp-user-map-key "subject": needs --ftp-tls'],
    [{ ftpUserMapKey: 'name' }, '--ftp-user-map-key "name": expected one of user, subject'],
    [{ tlsMinVersion: '1.1' }, '--tls-min-version "1.1": expected one of 1.2, 1.3'],
  ];
  it.each(faulty)('cannot be %j', (flags, fault) => {
    expect(faultsOf(flags)).toEqual([fault]);
  });
});
