/** FTP, and both protocols side by side. */
import { describe, expect, it } from 'vitest';
import type { Config, ServiceConfig } from '../../../src/config/config.ts';
import { faultText } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Environment, FlagValues } from '../../../src/config/sources.ts';

const least = { vip: ['192.0.2.1'], backend: ['192.0.2.11'] } satisfies FlagValues;

/** What there is of TLS and proxies where nothing is said of them. */
const noTls = {
  tls: {
    mode: 'off',
    client: {
      keyPairs: [],
      ca: undefined,
      certificate: 'optional',
      minVersion: 'TLSv1.2',
      isDataRequired: false,
      dataResumption: 'prefer',
      eof: 'strict',
      handshakeTimeout: 10_000,
    },
    backend: {
      mode: 'off',
      isImplicit: false,
      ca: undefined,
      serverName: undefined,
      isVerified: true,
      minVersion: 'TLSv1.2',
      data: 'P',
    },
  },
  proxy: { trusted: [], version: undefined, timeout: 5_000 },
  userMapKey: 'user',
};

function configOf(flags: FlagValues): Config {
  const loaded = loadConfig(flags, {});
  if (loaded.kind === 'config') return loaded.config;
  throw new Error(loaded.faults.map(faultText).join('\n'));
}

function servicesOf(flags: FlagValues): readonly ServiceConfig[] {
  return configOf(flags).services;
}

function kindsOf(flags: FlagValues): string[] {
  return servicesOf({ ...least, ...flags }).map(({ kind }) => kind);
}

function faultsOf(flags: FlagValues, environment: Environment = {}): string[] {
  const loaded = loadConfig(flags, environment);
  return loaded.kind === 'faulty' ? loaded.faults.map(faultText) : [];
}

describe('a configuration of FTP', () => {
  it('needs a VIP and a backend, and has a default for all else', () => {
    expect(servicesOf({ ...least, tftp: false })).toEqual([
      {
        kind: 'ftp',
        name: 'ftp',
        listeners: [{ address: '192.0.2.1', port: 21 }],
        backends: [{ name: '192.0.2.11', host: '192.0.2.11', port: 21, weight: 1 }],
        discovery: { resolveInterval: 30_000, emptyGrace: 60_000 },
        policy: 'round-robin',
        commands: {
          readOnly: false,
          denied: [],
          maxWaiting: 64,
          caps: { clientLine: 4_096, backendLine: 8_192, replyBytes: 1_048_576, replyLines: 5_000 },
        },
        data: {
          clientModes: 'active,passive',
          backendData: 'passive',
          portAddress: 'client',
          backendPasvAddress: 'ignore',
          passivePorts: undefined,
          advertised: [],
        },
        limits: { total: 2000, perClient: 0, perBackend: 0 },
        timing: {
          connect: 3000,
          greeting: 10_000,
          login: 60_000,
          idle: 300_000,
          dataAccept: 45_000,
          dataConnect: 30_000,
          stall: 300_000,
          finalReply: 600_000,
          settle: 10_000,
        },
        health: {
          interval: 5000,
          timeout: 2000,
          rise: 2,
          fall: 3,
          ejectTime: 10_000,
          ejectErrors: 5,
          slowStart: 0,
          probe: { kind: 'protocol' },
          user: undefined,
          password: undefined,
          passwordFile: undefined,
        },
        xferlog: undefined,
        ...noTls,
      },
    ]);
  });

  it('takes every option from flags', () => {
    const services = servicesOf({
      vip: ['::1'],
      tftp: false,
      ftp: true,
      ftpPort: '2121',
      ftpBackend: ['[2001:db8::1]:2021,name=b'],
      readOnly: true,
      ftpPolicy: 'user-hash',
      ftpUserMap: '/etc/users',
      ftpModes: 'passive',
      backendData: 'client',
      passivePorts: '50000-50099',
      passiveAddress: '10.0.0.0/8=10.1.2.3,192.0.2.9',
      portAddress: 'control',
      backendPasvAddress: 'trust',
      ftpDeny: 'site,DELE',
      ftpMaxWaiting: '7',
      ftpMaxLine: '1000',
      ftpMaxReplyLine: '2000',
      ftpMaxReply: '70000',
      ftpMaxReplyLines: '300',
      ftpConnectTimeout: '1s',
      ftpGreetingTimeout: '2s',
      ftpLoginTimeout: '3s',
      ftpIdleTimeout: '4s',
      ftpAcceptTimeout: '5s',
      ftpDataTimeout: '6s',
      ftpStallTimeout: '7s',
      ftpReplyTimeout: '8s',
      xferlog: '/var/log/xferlog',
      ftpMaxSessions: '100',
      ftpMaxSessionsPerClient: '10',
      ftpMaxSessionsPerBackend: '50',
      ftpHealthUser: 'probe',
      ftpHealthPasswordFile: '/etc/password',
      healthInterval: '0',
      healthTimeout: '1s',
      healthRise: '1',
      healthFall: '2',
      ejectTime: '20s',
    });
    expect(services).toEqual([
      {
        kind: 'ftp',
        name: 'ftp',
        listeners: [{ address: '::1', port: 2121 }],
        backends: [{ name: 'b', host: '2001:db8::1', port: 2021, weight: 1 }],
        discovery: { resolveInterval: 30_000, emptyGrace: 60_000 },
        policy: 'user-hash',
        userMap: '/etc/users',
        commands: {
          readOnly: true,
          denied: ['SITE', 'DELE'],
          maxWaiting: 7,
          caps: { clientLine: 1_000, backendLine: 2_000, replyBytes: 70_000, replyLines: 300 },
        },
        data: {
          clientModes: 'passive',
          backendData: 'client',
          portAddress: 'control',
          backendPasvAddress: 'trust',
          passivePorts: { first: 50_000, last: 50_099 },
          advertised: [
            { network: { address: '10.0.0.0', prefix: 8 }, address: '10.1.2.3' },
            { network: undefined, address: '192.0.2.9' },
          ],
        },
        limits: { total: 100, perClient: 10, perBackend: 50 },
        timing: {
          connect: 1000,
          greeting: 2000,
          login: 3000,
          idle: 4000,
          dataAccept: 5000,
          dataConnect: 6000,
          stall: 7000,
          finalReply: 8000,
          settle: 10_000,
        },
        health: {
          interval: 0,
          timeout: 1000,
          rise: 1,
          fall: 2,
          ejectTime: 20_000,
          ejectErrors: 5,
          slowStart: 0,
          probe: { kind: 'protocol' },
          user: 'probe',
          password: undefined,
          passwordFile: '/etc/password',
        },
        xferlog: '/var/log/xferlog',
        ...noTls,
      },
    ]);
  });
});

describe('both protocols', () => {
  it('are balanced unless one is turned off', () => {
    expect(kindsOf({})).toEqual(['tftp', 'ftp']);
    expect(kindsOf({ tftp: false })).toEqual(['ftp']);
    expect(kindsOf({ ftp: false })).toEqual(['tftp']);
  });

  it('have a backend in common at the port of each, and backends of their own at any', () => {
    const flags = { ...least, tftpBackend: ['a:6969', 'b'], ftpBackend: ['a:2121', 'b'] };
    const places = servicesOf(flags).map(({ backends }) => backends.map(({ host, port }) => [host, port]));
    expect(places).toEqual([
      [
        ['192.0.2.11', 69],
        ['a', 6969],
        ['b', 69],
      ],
      [
        ['192.0.2.11', 21],
        ['a', 2121],
        ['b', 21],
      ],
    ]);
  });

  it('have checks and --read-only in common', () => {
    const services = servicesOf({ ...least, readOnly: true, healthInterval: '7s' });
    expect(services.map(({ health }) => health.interval)).toEqual([7000, 7000]);
    expect(services).toMatchObject([{ requests: { readOnly: true } }, { commands: { readOnly: true } }]);
  });
});

describe('faults', () => {
  it('include both protocols turned off', () => {
    expect(faultsOf({ ...least, ftp: false }, { TFTP_LB_TFTP: 'false' })).toEqual([
      'TFTP_LB_TFTP and --ftp: cannot both be off: nothing is left to balance',
    ]);
  });

  it.each<[FlagValues, string]>([
    [{}, 'required: a server to balance over, HOST[:PORT] (or --tftp-backend and --ftp-backend)'],
    [{ ftp: false }, 'required: a server to balance over, HOST[:PORT] (or --tftp-backend)'],
    [{ tftp: false }, 'required: a server to balance over, HOST[:PORT] (or --ftp-backend)'],
    [
      { tftpBackend: ['a'] },
      'required: a server to balance over, HOST[:PORT] (or --ftp-backend, or --no-ftp)',
    ],
    [
      { ftpBackend: ['a'] },
      'required: a server to balance over, HOST[:PORT] (or --tftp-backend, or --no-tftp)',
    ],
  ])('name the protocol that lacks a backend: %j', (flags, problem) => {
    expect(faultsOf({ vip: ['192.0.2.1'], ...flags })).toEqual([`--backend: ${problem}`]);
  });

  it('include a port in --backend, which would be that of both', () => {
    expect(faultsOf({ ...least, backend: ['a', '[2001:db8::1]:70'] })).toEqual([
      '--backend "[2001:db8::1]:70": a port is for one protocol: give --tftp-backend [2001:db8::1]:70 or --ftp-backend [2001:db8::1]:70, or turn one off with --no-ftp or --no-tftp',
    ]);
    expect(faultsOf({ ...least, backend: ['a:70'], ftp: false })).toEqual([]);
    expect(faultsOf({ ...least, backend: ['a:70'], tftp: false })).toEqual([]);
  });

  it('include two backends of one name within a protocol, each said once', () => {
    const problem = 'a backend named a stands before it; give one of them another name';
    expect(faultsOf({ ...least, backend: ['a', 'b,name=a'] })).toEqual([`--backend "b,name=a": ${problem}`]);
    expect(faultsOf({ ...least, backend: ['a'], ftpBackend: ['b,name=a'] })).toEqual([
      `--ftp-backend "b,name=a": ${problem}`,
    ]);
    expect(faultsOf({ ...least, tftpBackend: ['a'], ftpBackend: ['a'] })).toEqual([]);
  });

  it.each<[FlagValues, string[]]>([
    [
      { backend: ['127.0.0.1'] },
      [
        '--backend "127.0.0.1": 127.0.0.1:69 is where the balancer itself listens; give the server\'s own port',
      ],
    ],
    [
      { tftpPort: '6969', ftpBackend: ['127.0.0.1'] },
      [
        '--ftp-backend "127.0.0.1": 127.0.0.1:21 is where the balancer itself listens; give the server\'s own port',
      ],
    ],
    [{ ftpBackend: ['127.0.0.1:2121'] }, []],
    [{ ftpPort: '2121', ftpBackend: ['127.0.0.1'] }, []],
  ])('include an FTP server that would be the balancer itself: %j', (flags, faults) => {
    expect(faultsOf({ ...least, vip: ['0.0.0.0'], ...flags })).toEqual(faults);
  });

  it('include passwords of nobody, and two passwords', () => {
    const password = { ftpHealthPassword: 'secret' };
    const file = { ftpHealthPasswordFile: '/f' };
    const user = { ftpHealthUser: 'u' };
    expect(faultsOf({ ...least, ...password })).toEqual(['--ftp-health-password: needs --ftp-health-user']);
    expect(faultsOf({ ...least, ...file })).toEqual([
      '--ftp-health-password-file "/f": needs --ftp-health-user',
    ]);
    expect(faultsOf({ ...least, ...user, ...password, ...file })).toEqual([
      '--ftp-health-password and --ftp-health-password-file: exclude each other',
    ]);
    expect(faultsOf({ ...least, ...user, ...password })).toEqual([]);
    expect(faultsOf({ ...least, ...user })).toEqual([]);
  });

  it('never show a password', () => {
    expect(faultsOf({ ...least, ftpHealthUser: 'u', ftpHealthPassword: 'secret\n' })).toEqual([
      '--ftp-health-password: expected 1 to 255 printable characters',
    ]);
  });

  it.each<[FlagValues, string]>([
    [{ ftpPolicy: 'random' }, '--ftp-policy "random": expected one of round-robin, least-sessions'],
    [{ ftpPolicy: 'file-hash' }, '--ftp-policy "file-hash": expected one of round-robin, least-sessions'],
    [{ ftpModes: 'active' }, '--ftp-modes "active": expected one of active,passive, passive'],
    [{ passivePorts: '20-30' }, '--passive-ports "20-30": expected A-B with ports from 1024'],
    [{ passiveAddress: '::1' }, '--passive-address "::1": expected auto, an IPv4 address'],
    [{ passiveAddress: '10.0.0.0/33=10.0.0.1' }, '--passive-address "10.0.0.0/33=10.0.0.1": expected auto'],
    [{ passiveAddress: '10.0.0.1,' }, '--passive-address "10.0.0.1,": expected auto'],
    [{ ftpDeny: 'SITE DELE' }, '--ftp-deny "SITE DELE": expected FTP commands behind commas'],
    [{ ftpDeny: '' }, '--ftp-deny "": expected FTP commands behind commas'],
    [{ ftpMaxWaiting: '0' }, '--ftp-max-waiting "0": expected a whole number from 1'],
    [{ ftpIdleTimeout: '0' }, '--ftp-idle-timeout "0": expected a duration from 10ms'],
    [{ ftpUserMap: '' }, '--ftp-user-map "": expected a path'],
    [{ xferlog: '' }, '--xferlog "": expected a path'],
  ])('include values that cannot be: %j', (flags, text) => {
    expect(faultsOf({ ...least, ...flags })).toEqual([expect.stringContaining(text)]);
  });
});
