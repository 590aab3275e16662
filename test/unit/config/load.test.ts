import { describe, expect, it } from 'vitest';
import type { Config, TftpServiceConfig } from '../../../src/config/config.ts';
import { faultText } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Environment, FlagValues } from '../../../src/config/sources.ts';

/** TFTP alone; load-ftp.test.ts has the rest. */
const least = { vip: ['192.0.2.1'], backend: ['192.0.2.11'], ftp: false } satisfies FlagValues;

function configOf(flags: FlagValues, environment: Environment = {}): Config {
  const loaded = loadConfig(flags, environment);
  if (loaded.kind === 'config') return loaded.config;
  throw new Error(loaded.faults.map(faultText).join('\n'));
}

function tftpOf({ services }: Config): TftpServiceConfig | undefined {
  return services.find((service) => service.kind === 'tftp');
}

function faultsOf(flags: FlagValues, environment: Environment = {}): string[] {
  const loaded = loadConfig(flags, environment);
  return loaded.kind === 'faulty' ? loaded.faults.map(faultText) : [];
}

describe('a configuration', () => {
  it('needs a VIP and a backend, and has a default for all else', () => {
    expect(configOf(least)).toEqual({
      services: [
        {
          kind: 'tftp',
          name: 'tftp',
          listeners: [{ address: '192.0.2.1', port: 69 }],
          backends: [{ name: '192.0.2.11', host: '192.0.2.11', port: 69, weight: 1 }],
          discovery: { resolveInterval: 30_000, emptyGrace: 60_000 },
          policy: 'round-robin',
          tids: { kind: 'ephemeral', ports: undefined },
          requests: {
            readOnly: false,
            maxBlksize: undefined,
            maxWindowsize: undefined,
            stripMulticast: true,
            retryNotFound: false,
            backendAnyAddress: false,
            transparent: false,
          },
          limits: { total: 5000, perClient: 0, perBackend: 0 },
          timing: { tryInterval: 1000, idleTimeout: 60_000 },
          health: {
            file: 'tftp-lb-health',
            interval: 5000,
            timeout: 2000,
            rise: 2,
            fall: 3,
            ejectTime: 10_000,
            ejectErrors: 5,
            slowStart: 0,
            probe: { kind: 'protocol' },
            sha256: undefined,
          },
        },
      ],
      admin: {
        listen: { address: '127.0.0.1', port: 9069 },
        socket: 'auto',
        tokenFile: undefined,
      },
      log: { level: 'info' },
      drainTimeout: 30_000,
      workers: 'auto',
      engine: 'auto',
      busyPoll: 100,
    });
  });

  it('takes every option from flags', () => {
    const config = configOf({
      vip: ['0.0.0.0', '::'],
      tftp: true,
      ftp: false,
      tftpPort: '6969',
      tidPorts: '40000-49999',
      backend: ['a.example,weight=3'],
      tftpBackend: ['[2001:db8::1]:70,name=b'],
      resolveInterval: '1m',
      readOnly: true,
      policy: 'file-hash',
      maxBlksize: 'auto',
      maxWindowsize: '8',
      stripMulticast: false,
      retryNotFound: true,
      backendAnyAddress: true,
      transparent: true,
      tryInterval: '500ms',
      idleTimeout: '2m',
      maxSessions: '100',
      maxSessionsPerClient: '10',
      maxSessionsPerBackend: '50',
      healthFile: 'pxelinux.0',
      healthInterval: '0',
      healthTimeout: '1s',
      healthRise: '1',
      healthFall: '2',
      ejectTime: '20s',
      tftpHealthProbe: 'tftp',
      healthSha256: 'AB'.repeat(32),
      ejectErrors: '7',
      slowStart: '30s',
      admin: '[::1]:0',
      adminSocket: '/run/other.sock',
      adminTokenFile: '/etc/token',
      logLevel: 'debug',
      drainTimeout: '0',
      workers: '3',
      engine: 'portable',
      busyPoll: '0',
    });
    expect(config).toEqual({
      services: [
        {
          kind: 'tftp',
          name: 'tftp',
          listeners: [
            { address: '0.0.0.0', port: 6969 },
            { address: '::', port: 6969 },
          ],
          backends: [
            { name: 'a.example', host: 'a.example', port: 69, weight: 3 },
            { name: 'b', host: '2001:db8::1', port: 70, weight: 1 },
          ],
          discovery: { resolveInterval: 60_000, emptyGrace: 60_000 },
          policy: 'file-hash',
          tids: { kind: 'ephemeral', ports: { first: 40_000, last: 49_999 } },
          requests: {
            readOnly: true,
            maxBlksize: 'auto',
            maxWindowsize: 8,
            stripMulticast: false,
            retryNotFound: true,
            backendAnyAddress: true,
            transparent: true,
          },
          limits: { total: 100, perClient: 10, perBackend: 50 },
          timing: { tryInterval: 500, idleTimeout: 120_000 },
          health: {
            file: 'pxelinux.0',
            interval: 0,
            timeout: 1000,
            rise: 1,
            fall: 2,
            ejectTime: 20_000,
            ejectErrors: 7,
            slowStart: 30_000,
            probe: { kind: 'protocol' },
            sha256: 'ab'.repeat(32),
          },
        },
      ],
      admin: {
        listen: { address: '::1', port: 0 },
        socket: '/run/other.sock',
        tokenFile: '/etc/token',
      },
      log: { level: 'debug' },
      drainTimeout: 0,
      workers: 3,
      engine: 'portable',
      busyPoll: 0,
    });
  });

  it('takes the single-port mode, and no admin endpoints', () => {
    const config = configOf({ ...least, singlePort: true, admin: false });
    expect(tftpOf(config)?.tids).toEqual({ kind: 'single-port' });
    expect(config.admin.listen).toBeUndefined();
  });

  it('may have a server on this host for the protocol that is balanced alone', () => {
    const flags = { vip: ['0.0.0.0'], backend: ['127.0.0.1'], tftpPort: '6969' };
    expect(faultsOf({ ...flags, ftp: false })).toEqual([]);
    expect(faultsOf(flags)).toEqual([expect.stringContaining('127.0.0.1:21 is where the balancer itself')]);
  });

  it('needs no backend of both protocols where TFTP has its own', () => {
    const flags = { vip: ['::1'], ftp: false, tftpBackend: ['a'] };
    expect(configOf(flags).services[0]?.backends).toHaveLength(1);
  });
});

describe('the environment', () => {
  it('says what flags can say', () => {
    const config = configOf(
      {},
      {
        TFTP_LB_VIP: ' 192.0.2.1\t::1\n',
        TFTP_LB_FTP: 'false',
        TFTP_LB_BACKEND: 'a b:70',
        TFTP_LB_READ_ONLY: 'true',
        TFTP_LB_STRIP_MULTICAST: 'false',
        TFTP_LB_ADMIN: 'false',
        TFTP_LB_TRY_INTERVAL: '2',
      },
    );
    const service = tftpOf(config);
    expect(service?.listeners.map(({ address }) => address)).toEqual(['192.0.2.1', '::1']);
    expect(service?.backends.map(({ port }) => port)).toEqual([69, 70]);
    expect(service?.requests).toMatchObject({ readOnly: true, stripMulticast: false });
    expect(service?.timing.tryInterval).toBe(2000);
    expect(config.admin.listen).toBeUndefined();
  });

  it('counts less than flags and more than defaults', () => {
    const environment = { TFTP_LB_READ_ONLY: 'true', TFTP_LB_BACKEND: 'a b', TFTP_LB_MAX_SESSIONS: '7' };
    const service = tftpOf(configOf({ ...least, readOnly: false }, environment));
    expect(service?.requests.readOnly).toBe(false);
    expect(service?.backends.map(({ host }) => host)).toEqual(['192.0.2.11']);
    expect(service?.limits.total).toBe(7);
  });

  it('may be blank, and may hold what is not ours', () => {
    const environment = { TFTP_LB_TID_PORTS: '', TFTP_LB_VIP: ' ', PATH: '/bin', TFTPLB_X: '1' };
    expect(configOf(least, environment)).toEqual(configOf(least));
  });

  it('may hold what Kubernetes says about services that are named like us', () => {
    const environment = {
      TFTP_LB_SERVICE_HOST: '10.0.0.1',
      TFTP_LB_SERVICE_PORT: '69',
      TFTP_LB_SERVICE_PORT_TFTP: '69',
      TFTP_LB_PORT: 'udp://10.0.0.1:69',
      TFTP_LB_PORT_69_UDP: 'udp://10.0.0.1:69',
      TFTP_LB_PORT_69_UDP_PROTO: 'udp',
      TFTP_LB_PORT_69_UDP_PORT: '69',
      TFTP_LB_PORT_69_UDP_ADDR: '10.0.0.1',
      TFTP_LB_TFTP_PORT: 'udp://10.0.0.2:69',
      TFTP_LB_TFTP_SERVICE_HOST: '10.0.0.2',
    };
    expect(configOf(least, environment)).toEqual(configOf(least));
  });
});

describe('faults', () => {
  it('are all reported at once, each with its source and value', () => {
    const flags = {
      vip: ['192.0.2.300'],
      tftpPort: '70000',
      healthFall: '0',
      tryInterval: true,
    } satisfies FlagValues;
    const environment = {
      TFTP_LB_BACKEND: 'a b,weight=x',
      TFTP_LB_READ_ONLY: 'yes',
      TFTP_LB_TFTP_PROT: '69',
    };
    expect(faultsOf(flags, environment).sort()).toEqual([
      '--health-fall "0": expected a whole number from 1 to 100',
      '--tftp-port "70000": expected a whole number from 0 to 65535',
      '--try-interval: expected a duration from 10ms to 1m, such as 500ms, 10s or 1m',
      '--vip "192.0.2.300": expected an IPv4 or IPv6 address in numbers',
      'TFTP_LB_BACKEND "b,weight=x": expected weight=N with N from 1 to 256',
      'TFTP_LB_READ_ONLY "yes": expected true or false',
      'TFTP_LB_TFTP_PROT: unknown variable; did you mean TFTP_LB_TFTP_PORT?',
    ]);
  });

  it('name what is missing', () => {
    expect(faultsOf({})).toEqual([
      '--vip: required: the address to listen on, ADDR',
      '--backend: required: a server to balance over, HOST[:PORT] (or --tftp-backend and --ftp-backend)',
    ]);
  });

  it.each<[string, FlagValues, string]>([
    [
      'a value out of bounds',
      { maxBlksize: '7' },
      '--max-blksize "7": expected auto or a whole number from 8',
    ],
    ['a window of nothing', { maxWindowsize: '0' }, '--max-windowsize "0": expected'],
    ['a range that runs backwards', { tidPorts: '5000-4000' }, '--tid-ports "5000-4000": expected A-B'],
    [
      'privileged ports',
      { tidPorts: '1000-2000' },
      '--tid-ports "1000-2000": expected A-B with ports from 1024',
    ],
    ['half a range', { tidPorts: '2000' }, '--tid-ports "2000": expected A-B'],
    [
      'checks without a pause',
      { healthInterval: '50ms' },
      '--health-interval "50ms": expected a duration from 100ms to 1h, or 0',
    ],
    ['tries without a pause', { tryInterval: '0' }, '--try-interval "0": expected a duration from 10ms'],
    ['a file above the root', { healthFile: '../x' }, '--health-file "../x": expected a file name'],
    ['a file name without letters', { healthFile: 'a\0' }, '--health-file "a\\u0000": expected a file name'],
    ['an unknown level', { logLevel: 'inf' }, '--log-level "inf": expected one of trace, debug'],
    [
      'admin endpoints on a name',
      { admin: 'localhost:9069' },
      '--admin "localhost:9069": expected ADDR:PORT',
    ],
    ['an empty value', { admin: '' }, '--admin "": expected ADDR:PORT'],
  ])('include %s', (_what, flags, text) => {
    expect(faultsOf({ ...least, ...flags })).toEqual([expect.stringContaining(text)]);
  });

  it('include options that exclude each other, wherever they were said', () => {
    expect(faultsOf({ ...least, singlePort: true }, { TFTP_LB_TID_PORTS: '2000-3000' })).toEqual([
      '--single-port and TFTP_LB_TID_PORTS: exclude each other',
    ]);
  });

  it('include two backends of one name', () => {
    expect(faultsOf({ ...least, backend: ['a', 'a:70,name=a'], tftpBackend: ['b,name=a'] })).toEqual([
      '--backend "a:70,name=a": a backend named a stands before it; give one of them another name',
      '--tftp-backend "b,name=a": a backend named a stands before it; give one of them another name',
    ]);
  });

  it('include an address that is listened on already', () => {
    expect(faultsOf({ ...least, vip: ['192.0.2.1', '::1', '0:0::1', '::', '192.0.2.2'] })).toEqual([
      '--vip "::1": :: covers it already',
      '--vip "0:0::1": ::1 covers it already',
    ]);
  });

  it.each<[string[], string, boolean]>([
    [['192.0.2.1'], '192.0.2.1', true],
    [['192.0.2.1'], '192.0.2.1:6969', false],
    [['0.0.0.0'], '127.0.0.1', true],
    [['0.0.0.0'], '::1', false],
    [['::'], '::1', true],
    [['127.0.0.1'], '127.0.0.2', false],
  ])('with the VIPs %j find that %s would be the balancer itself: %s', (vip, backend, isSelf) => {
    const faults = faultsOf({ vip, ftp: false, backend: [backend] });
    expect(faults.some((fault) => fault.includes('where the balancer itself listens'))).toBe(isSelf);
  });

  it('of one option do not hide the contradictions of others', () => {
    const flags = {
      vip: ['x'],
      backend: ['a', 'a'],
      singlePort: true,
      tidPorts: '2000-3000',
    } satisfies FlagValues;
    expect(faultsOf(flags)).toHaveLength(3);
  });

  it('quote long and odd values in one short line', () => {
    const [fault = ''] = faultsOf({ ...least, healthFile: `\n${'x'.repeat(10_000)}` });
    expect(fault.length).toBeLessThan(400);
    expect(fault).not.toContain('\n');
  });
});
