import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { type OptionInfo, optionInfos } from '../../../src/config/options.ts';
import { printConfig } from '../../../src/config/print.ts';
import type { FlagValues } from '../../../src/config/sources.ts';
import { removeFolders } from '../../helpers/folders.ts';
import { configOf, fileOf, loadFile, pxe } from './scene.ts';

afterAll(removeFolders);

const least = { vip: ['192.0.2.1'], backend: ['192.0.2.11'] } satisfies FlagValues;

function printed(flags: FlagValues): string {
  const loaded = loadConfig(flags, {});
  configOf(loaded);
  return loaded.kind === 'config' ? printConfig(loaded.document) : '';
}

/** Values of each form that options have, within the bounds of all. */
const texts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  ADDR: fc.constantFrom('10.0.0.0/8=10.1.2.3,192.0.2.9', '192.0.2.9', 'auto'),
  'ADDR:PORT': fc.constantFrom('127.0.0.1:0', '[::1]:9069', '0.0.0.0:1'),
  'A-B': fc
    .tuple(fc.integer({ min: 1024, max: 2000 }), fc.integer({ min: 2001, max: 65_535 }))
    .map((p) => p.join('-')),
  BYTES: fc.constant('65536'),
  'CMD,...': fc.constantFrom('SITE', 'site,DELE', 'rmd'),
  DOMAIN: fc.constantFrom('_tftp._udp.boot.example', 'boot.example.', 'null', 'a12'),
  DURATION: fc.constantFrom('1s', '2', '1500ms', '1.5s', '1m', '60000ms'),
  ENGINE: fc.constantFrom('auto', 'portable', 'linux'),
  FILE: fc.constantFrom('/var/log/x', 'a b: c', '#x', "it's", '12'),
  HEX: fc.constantFrom('0'.repeat(64), 'Ab'.repeat(32)),
  HOW: fc.constantFrom('ignore', 'trust'),
  LEVEL: fc.constantFrom('trace', 'silent'),
  MODE: fc.constantFrom('passive', 'active', 'client'),
  MODES: fc.constantFrom('active,passive', 'passive'),
  N: fc.constant('100'),
  NAME: fc.constantFrom('pxelinux.0', '0', 'true', '~', '- x', '12:30'),
  PATH: fc.constantFrom('auto', '/run/x.sock', 'x y'),
  POLICY: fc.constantFrom('round-robin', 'first', 'source-hash'),
  PORT: fc.integer({ min: 0, max: 65_535 }).map(String),
  RATE: fc.constantFrom('1/s', '30/m,5', '7/h'),
  'error|silent': fc.constantFrom('error', 'silent'),
  PROBE: fc.constantFrom('tcp', 'tcp:22', 'exec:/bin/check  {address} #x'),
  USER: fc.constantFrom('probe', 'null', 'é', '1'),
  WHICH: fc.constantFrom('client', 'control'),
  'CIDR,...': fc.constantFrom('10.0.0.0/8', '::1,192.0.2.0/24'),
  'auto|N': fc.constantFrom('auto', '8', '100'),
};

/** Of options that have a form in common with others, and values of their own. */
const ownTexts: Readonly<Record<string, fc.Arbitrary<string>>> = {
  ftpUserMapKey: fc.constantFrom('user', 'subject'),
  ftpTls: fc.constantFrom('off', 'allowed', 'required', 'passthrough'),
  ftpsPort: fc.constant('990'),
  tlsMinVersion: fc.constantFrom('1.2', '1.3'),
  tlsClientCert: fc.constantFrom('optional', 'required'),
  ftpDataTls: fc.constantFrom('allowed', 'required'),
  dataTlsResume: fc.constantFrom('off', 'prefer', 'require'),
  tlsEof: fc.constantFrom('strict', 'lenient'),
  backendTls: fc.constantFrom('off', 'auto', 'required', 'match'),
  backendTlsMinVersion: fc.constantFrom('1.2', '1.3'),
  backendDataTls: fc.constantFrom('private', 'clear', 'match'),
  backendProxyProtocol: fc.constantFrom('off', 'v1', 'v2'),
};

const lists: Readonly<Record<string, fc.Arbitrary<string[]>>> = {
  vip: fc.uniqueArray(fc.constantFrom('192.0.2.1', '192.0.2.2', '::1', '2001:db8::1'), { minLength: 1 }),
  backend: fc.uniqueArray(fc.constantFrom('192.0.2.11', 'a.example,weight=3', '2001:db8::2,name=x'), {
    minLength: 1,
  }),
  tftpBackend: fc.uniqueArray(fc.constantFrom('192.0.2.12:70', '[::2]:71,weight=2'), { minLength: 1 }),
  allow: fc.uniqueArray(fc.constantFrom('10.0.0.0/8', '::/0', '192.0.2.1'), { minLength: 1 }),
  deny: fc.uniqueArray(fc.constantFrom('10.1.0.0/16', '2001:db8::/32'), { minLength: 1 }),
  allowFile: fc.uniqueArray(fc.constantFrom('boot/**', '*.efi', '- x', '12'), { minLength: 1 }),
  dnsServer: fc.uniqueArray(fc.constantFrom('127.0.0.1:8600', '::1', '[::1]:53'), { minLength: 1 }),
  denyFile: fc.uniqueArray(fc.constantFrom('**/.*', '#?'), { minLength: 1 }),
  tlsCert: fc.constantFrom(['a.pem'], ['a.pem', 'b: c']),
  tlsKey: fc.constant(['a.key']),
  ftpBackend: fc.uniqueArray(fc.constantFrom('192.0.2.13:2021', 'B.example'), { minLength: 1 }),
};

function valuesOf({ key, kind, negatable, placeholder }: OptionInfo): fc.Arbitrary<FlagValues[typeof key]> {
  if (kind === 'list') return lists[key] ?? fc.constant([]);
  if (kind === 'switch') return fc.boolean();
  const text = ownTexts[key] ?? texts[placeholder];
  if (text === undefined) throw new Error(`no values for ${placeholder} of ${key}`);
  return negatable ? fc.oneof(text, fc.constant(false)) : text;
}

const sayable = optionInfos.filter(({ key }) => !['config', 'watch', 'ftpHealthPassword'].includes(key));
const commandLines: fc.Arbitrary<FlagValues> = fc
  .record(Object.fromEntries(sayable.map((info) => [info.key, valuesOf(info)])), {
    requiredKeys: ['vip', 'backend'],
  })
  .map((flags) => Object.fromEntries(Object.entries(flags).filter(([key]) => isPossible(key, flags))));

/** How the flags end that say where backends are: in one place alone. */
function whereFrom(flags: Readonly<Record<string, unknown>>): string {
  const found = ['sDns', 'sFile'].find((end) => flags[`backend${end}`] !== undefined);
  return found ?? 'ackend';
}

/** Whether a user map can know users by their certificates. */
function hasSubjects({
  ftpUserMap,
  tlsClientCa,
  tlsCert,
  ftpTls,
}: Readonly<Record<string, unknown>>): boolean {
  const hasTls = tlsCert !== undefined && (ftpTls === 'allowed' || ftpTls === 'required');
  return hasTls && ftpUserMap !== undefined && tlsClientCa !== undefined;
}

/** Whether the other flags allow it. */
function isPossible(key: string, flags: Readonly<Record<string, unknown>>): boolean {
  if (key === 'tidPorts') return flags['singlePort'] !== true;
  if (key === 'ftpHealthPasswordFile') return flags['ftpHealthUser'] !== undefined;
  if (/[bB]ackend(s(Dns|File))?$/.test(key)) return key.endsWith(whereFrom(flags));
  if (key === 'healthSha256') return flags['tftpHealthProbe'] === undefined;
  const certificates = flags['tlsCert'];
  if (key === 'tlsKey') return Array.isArray(certificates) && certificates.length === 1;
  if (key === 'ftpTls' || key === 'ftpsPort') return certificates !== undefined;
  if (key === 'tlsClientCert') return flags['tlsClientCa'] !== undefined;
  if (key === 'ftpUserMapKey') return hasSubjects(flags);
  if (key === 'backendTlsImplicit') return flags['backendTls'] === 'required';
  if (key === 'adminTokenFile') return flags['admin'] !== false;
  return key !== 'tftp' || flags['ftp'] !== false;
}

describe('printConfig', () => {
  it('gives the file that any command line amounts to', () => {
    fc.assert(
      fc.property(commandLines, (flags) => {
        const loaded = loadConfig(flags, {});
        const text = loaded.kind === 'config' ? printConfig(loaded.document) : '';
        expect(configOf(loadFile(text))).toEqual(configOf(loaded));
      }),
    );
  });

  it('says everything that counts, with its defaults', () => {
    expect(printed({ ...least, ftp: false, admin: false, tftpPort: '6969', readOnly: true })).toBe(`services:
  tftp:
    protocol: tftp
    listeners:
      - 192.0.2.1
    port: 6969
    backends:
      - 192.0.2.11
    policy: round-robin
    read-only: true
    discovery:
      resolve-interval: 30s
      empty-grace: 1m
    rates:
      prefix-ipv4: 24
      prefix-ipv6: 64
    affinity:
      duration: 0
    limits:
      max-sessions: 5000
      max-sessions-per-client: 0
      max-sessions-per-backend: 0
    access: {}
    health:
      interval: 5s
      timeout: 2s
      rise: 2
      fall: 3
      eject-time: 10s
      eject-errors: 5
      slow-start: 0
      probe: tftp
      file: tftp-lb-health
    tftp:
      single-port: false
      strip-multicast: true
      retry-not-found: false
      backend-any-address: false
      transparent: false
      try-interval: 1s
      idle-timeout: 60s
admin:
  listen: false
  socket: auto
log:
  level: info
drain-timeout: 30s
workers: auto
engine: auto
busy-poll: 100
`);
  });

  it('leaves passwords out, and says so', () => {
    const text = printed({ ...least, ftpHealthUser: 'u', ftpHealthPassword: 'secret' });
    expect(text).toContain('# services.ftp.health.password is set, and not shown\n');
    expect(text).not.toContain('secret');
    expect(configOf(loadFile(text)).services[1]?.health).toMatchObject({ user: 'u', password: undefined });
  });

  it('completes a file, as flags and variables change it', () => {
    const file = fileOf(`${pxe}    tftp: { max-blksize: auto }\nworkers: 3\n`);
    const loaded = loadConfig({ config: file, workers: '4' }, { TFTP_LB_ADMIN: 'false' });
    const text = loaded.kind === 'config' ? printConfig(loaded.document) : '';
    expect(text).toContain('      max-blksize: auto\n');
    expect(text).toContain('admin:\n  listen: false\n');
    expect(text).toContain('workers: 4\n');
    expect(configOf(loadFile(text))).toEqual(configOf(loaded));
  });
});
