/** Flags, variables and defaults: what is said where, and what counts. */
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { type OptionInfo, type OptionKey } from '../../src/config/options.ts';
import { optionGroups } from '../../src/config/option-table.ts';
import { optionInfos } from '../../src/config/options.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { udpPortsAt } from '../helpers/kernel.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { runTftpLb, startTftpLb } from './cli.ts';

afterAll(async () => {
  await stopAll();
  removeFolders();
});

/** What is named has to be there and sound. */
const folder = temporaryFolder('sources');
for (const name of ['one', 'one-too', 'other']) {
  const { certificate, key } = makeKeyPair();
  writeFileSync(path.join(folder, `${name}.pem`), certificate);
  writeFileSync(path.join(folder, `${name}.key`), key);
  for (const whose of ['clients', 'servers']) {
    writeFileSync(path.join(folder, `${name}-${whose}.pem`), certificate);
  }
  writeFileSync(path.join(folder, name), 'a-secret-of-the-test\n');
  writeFileSync(path.join(folder, `${name}-users`), 'joe: one\n');
}

/** What is said of the options, as a variable would say it. */
type Settings = Readonly<Partial<Record<OptionKey, string>>>;

/**
 * Two values of each option that stands for a part of a file, as different as can be; that a protocol is turned off has
 * a test of its own.
 */
const one: Settings = {
  vip: '192.0.2.1 ::1',
  tftp: 'true',
  ftp: 'true',
  tftpPort: '6969',
  ftpPort: '2121',
  tidPorts: '40000-40099',
  backend: '192.0.2.11,weight=3,name=one tftp.example',
  tftpBackend: '192.0.2.13:70',
  ftpBackend: '192.0.2.15:2021',
  resolveInterval: '1m',
  emptyGrace: '2m',
  readOnly: 'true',
  policy: 'file-hash',
  maxBlksize: '1024',
  maxWindowsize: '4',
  stripMulticast: 'false',
  retryNotFound: 'true',
  backendAnyAddress: 'true',
  transparent: 'true',
  tryInterval: '500ms',
  idleTimeout: '10s',
  ftpPolicy: 'least-sessions',
  ftpModes: 'passive',
  backendData: 'active',
  passivePorts: '50000-50099',
  passiveAddress: '10.0.0.0/8=10.1.2.3',
  portAddress: 'control',
  backendPasvAddress: 'trust',
  ftpDeny: 'SITE',
  limitAnswer: 'silent',
  allow: '10.0.0.0/8 ::/0',
  deny: '10.1.0.0/16',
  allowFile: 'boot/** *.efi',
  denyFile: '**/.*',
  rate: '10/s,20',
  affinity: '10m',
  ftpMaxWaiting: '8',
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
  xferlog: '/var/log/one',
  ftpUserMap: `${folder}/one-users`,
  ftpUserMapKey: 'user',
  ftpTls: 'allowed',
  ftpsPort: '990',
  tlsCert: `${folder}/one.pem ${folder}/one-too.pem`,
  tlsKey: `${folder}/one.key ${folder}/one-too.key`,
  tlsMinVersion: '1.3',
  tlsClientCa: `${folder}/one-clients.pem`,
  tlsClientCert: 'required',
  ftpDataTls: 'required',
  dataTlsResume: 'off',
  tlsEof: 'lenient',
  tlsHandshakeTimeout: '1s',
  backendTls: 'required',
  backendTlsImplicit: 'true',
  backendTlsCa: `${folder}/one-servers.pem`,
  backendTlsName: 'one.example',
  backendTlsInsecure: 'true',
  backendTlsMinVersion: '1.3',
  backendDataTls: 'clear',
  proxyProtocolFrom: '10.0.0.0/8',
  backendProxyProtocol: 'v1',
  proxyProtocolTimeout: '1s',
  maxSessions: '90',
  maxSessionsPerClient: '40',
  maxSessionsPerBackend: '30',
  ftpMaxSessions: '190',
  ftpMaxSessionsPerClient: '140',
  ftpMaxSessionsPerBackend: '130',
  healthFile: 'one',
  ftpHealthUser: 'one',
  ftpHealthPassword: 'secret',
  healthInterval: '6',
  healthTimeout: '3s',
  healthRise: '5',
  healthFall: '6',
  ejectTime: '20s',
  tftpHealthProbe: 'tftp',
  ftpHealthProbe: 'tcp',
  healthSha256: '0'.repeat(64),
  ejectErrors: '7',
  slowStart: '30s',
  admin: '127.0.0.1:1',
  logLevel: 'debug',
  drainTimeout: '10s',
  takeover: 'false',
  workers: '2',
  engine: 'portable',
  busyPoll: '0',
  adminSocket: '/run/one.sock',
  adminTokenFile: `${folder}/one`,
};
const other: Settings = {
  vip: '192.0.2.2',
  tftp: 'true',
  ftp: 'true',
  tftpPort: '7070',
  ftpPort: '7021',
  singlePort: 'true',
  backend: '2001:db8::12,weight=4,name=other',
  tftpBackend: '192.0.2.14:71,weight=2',
  ftpBackend: '192.0.2.16:7022,weight=5',
  resolveInterval: '2m',
  emptyGrace: '3m',
  readOnly: 'false',
  policy: 'first',
  maxBlksize: 'auto',
  maxWindowsize: '5',
  stripMulticast: 'true',
  retryNotFound: 'false',
  backendAnyAddress: 'false',
  transparent: 'false',
  tryInterval: '600ms',
  idleTimeout: '11s',
  ftpPolicy: 'source-hash',
  ftpModes: 'active,passive',
  backendData: 'client',
  passivePorts: '51000-51099',
  passiveAddress: '192.0.2.9',
  portAddress: 'client',
  backendPasvAddress: 'ignore',
  ftpDeny: 'DELE,RMD',
  limitAnswer: 'error',
  allow: '192.0.2.0/24',
  deny: '192.0.2.7 2001:db8::/32',
  allowFile: '**',
  denyFile: 'x?',
  rate: '30/m',
  affinity: '20m',
  ftpMaxWaiting: '9',
  ftpMaxLine: '1001',
  ftpMaxReplyLine: '2001',
  ftpMaxReply: '70001',
  ftpMaxReplyLines: '301',
  ftpConnectTimeout: '11s',
  ftpGreetingTimeout: '12s',
  ftpLoginTimeout: '13s',
  ftpIdleTimeout: '14s',
  ftpAcceptTimeout: '15s',
  ftpDataTimeout: '16s',
  ftpStallTimeout: '17s',
  ftpReplyTimeout: '18s',
  xferlog: '/var/log/other',
  ftpUserMap: `${folder}/other-users`,
  ftpUserMapKey: 'subject',
  ftpTls: 'required',
  ftpsPort: '991',
  tlsCert: `${folder}/other.pem`,
  tlsKey: `${folder}/other.key`,
  tlsMinVersion: '1.2',
  tlsClientCa: `${folder}/other-clients.pem`,
  tlsClientCert: 'optional',
  ftpDataTls: 'allowed',
  dataTlsResume: 'require',
  tlsEof: 'strict',
  tlsHandshakeTimeout: '2s',
  backendTls: 'match',
  backendTlsImplicit: 'false',
  backendTlsCa: `${folder}/other-servers.pem`,
  backendTlsName: 'other.example',
  backendTlsInsecure: 'false',
  backendTlsMinVersion: '1.2',
  backendDataTls: 'match',
  proxyProtocolFrom: '192.0.2.0/24',
  backendProxyProtocol: 'v2',
  proxyProtocolTimeout: '2s',
  maxSessions: '91',
  maxSessionsPerClient: '41',
  maxSessionsPerBackend: '31',
  ftpMaxSessions: '191',
  ftpMaxSessionsPerClient: '141',
  ftpMaxSessionsPerBackend: '131',
  healthFile: 'other',
  ftpHealthUser: 'other',
  ftpHealthPasswordFile: `${folder}/other`,
  healthInterval: '7',
  healthTimeout: '4s',
  healthRise: '7',
  healthFall: '8',
  ejectTime: '21s',
  tftpHealthProbe: 'exec:/bin/true',
  ftpHealthProbe: 'ftp',
  ejectErrors: '8',
  slowStart: '31s',
  admin: 'false',
  logLevel: 'error',
  drainTimeout: '12s',
  takeover: 'true',
  workers: 'auto',
  engine: 'auto',
  busyPoll: '50',
  adminSocket: 'false',
};

/** Backends that are not listed, in two ways. */
const found: Settings = {
  vip: '192.0.2.1',
  backendsDns: 'one.example',
  tftpBackendsDns: '_tftp._udp.one.example',
  ftpBackendsDns: '_ftp._tcp.one.example',
  dnsServer: '127.0.0.1:8600',
};
const foundElsewhere: Settings = {
  vip: '192.0.2.2',
  backendsFile: '/etc/backends',
  tftpBackendsFile: '/etc/tftp-backends',
  ftpBackendsFile: '/etc/ftp-backends',
};

/** What no command line can do without. */
const needed: Settings = { vip: '192.0.2.1', backend: '192.0.2.11' };

function infosOf(settings: Settings): (readonly [OptionInfo, string])[] {
  return optionInfos.flatMap((info) => {
    const value = settings[info.key];
    return value === undefined ? [] : [[info, value] as const];
  });
}

function asVariables(settings: Settings): Record<string, string> {
  return Object.fromEntries(infosOf(settings).map(([{ variable }, value]) => [variable, value]));
}

function asFlags(settings: Settings): string[] {
  return infosOf(settings).flatMap(([{ flag, kind }, value]) => {
    if (value === 'false') return [`--no-${flag.slice(2)}`];
    if (kind === 'switch') return [flag];
    return kind === 'list' ? value.split(' ').map((part) => `${flag}=${part}`) : [flag, value];
  });
}

/** What a command line and its environment amount to, as `check --print` has it. */
async function resolved(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const exit = await runTftpLb(['check', '--print', ...args], { env });
  if (exit.code !== 0) throw new Error(exit.stderr);
  return parse(exit.stdout);
}

/** Every value in a configuration, by its place. */
function leaves(value: unknown, place = ''): [string, unknown][] {
  if (typeof value !== 'object' || value === null) return [[place, value]];
  return Object.entries(value).flatMap(([name, part]) => leaves(part, `${place}/${name}`));
}

describe('options', () => {
  test('have tests of their effect, group by group', () => {
    const files = optionGroups.map((group) => `flags-${group.toLowerCase().replaceAll(' ', '-')}.test.ts`);
    expect(files.filter((file) => !existsSync(path.join(import.meta.dirname, file)))).toEqual([]);
  });

  test('have values in this file', () => {
    const keys = new Set([one, other, found, foundElsewhere].flatMap((settings) => Object.keys(settings)));
    const wanted = optionInfos.filter(({ group }) => group !== 'Configuration').map(({ key }) => key);
    expect([...keys].toSorted()).toEqual(wanted.toSorted());
  });

  test('mean the same as flags and as variables, and flags count first', async () => {
    const [flags, variables, otherFlags, otherVariables, both] = await Promise.all([
      resolved(asFlags(one)),
      resolved([], asVariables(one)),
      resolved(asFlags(other)),
      resolved([], asVariables(other)),
      resolved(
        asFlags({ ...one, singlePort: 'false' }),
        asVariables({ ...other, ftpHealthPasswordFile: '' }),
      ),
    ]);
    expect(variables).toEqual(flags);
    expect(otherVariables).toEqual(otherFlags);
    expect(both).toEqual(flags);

    const second = new Map(leaves(otherFlags));
    const same = leaves(flags).filter(([place, value]) => second.get(place) === value);
    // Flags have no words for these.
    const unsaid = /\/(protocol|rates\/prefix-ipv[46])$/;
    expect(same.map(([place]) => place).filter((place) => !unsaid.test(place))).toEqual([]);
  });

  test.each([found, foundElsewhere])('mean the same, where they tell how backends are found', async (way) => {
    const [flags, variables] = await Promise.all([resolved(asFlags(way)), resolved([], asVariables(way))]);
    expect(variables).toEqual(flags);
    const said = new Set(leaves(flags).map(([, value]) => value));
    const shared = Object.entries(way).filter(([key]) => !key.startsWith('backends'));
    expect(shared.filter(([, value]) => !said.has(value))).toEqual([]);
  });

  test.each(['tftp', 'ftp'] as const)('leave %s out by --no-, whatever its variable says', async (name) => {
    const others = (await resolved(asFlags(needed))) as { services: Record<string, unknown> };
    const [flags, variables] = await Promise.all([
      resolved(asFlags({ ...needed, [name]: 'false' }), asVariables({ [name]: 'true' })),
      resolved([], asVariables({ ...needed, [name]: 'false' })),
    ]);
    expect(flags).toEqual(variables);
    const { [name]: _, ...services } = others.services;
    expect(flags).toEqual({ ...others, services });
  });

  test('are turned off by --no-, whatever their variable says', async () => {
    const others: readonly OptionKey[] = ['tftp', 'ftp', 'watch'];
    const switches = optionInfos
      .filter(({ negatable, key }) => negatable && !others.includes(key))
      .map(({ key }) => key);
    const on = switches.map((key) => [key, key === 'admin' ? '127.0.0.1:1' : 'true'] as const);
    const off = Object.fromEntries(switches.map((key) => [key, 'false']));
    const [flags, variables, onVariables] = await Promise.all([
      resolved(asFlags({ ...needed, ...off }), asVariables({ ...Object.fromEntries(on), backendTls: 'off' })),
      resolved([], asVariables({ ...needed, ...off })),
      // TLS from the beginning goes with no other policy.
      resolved([], asVariables({ ...needed, backendTls: 'required', ...Object.fromEntries(on) })),
    ]);
    expect(flags).toEqual(variables);
    const offLeaves = new Map(leaves(variables));
    const moved = leaves(onVariables).filter(([place, value]) => offLeaves.get(place) !== value);
    expect(moved.length).toBeGreaterThanOrEqual(switches.length);
  });
});

test('the balancer runs on variables alone', async () => {
  const image = Buffer.from('image');
  const [first, second] = [startEmbedded({ image }), startEmbedded({ image })];
  const address = ownLoopback();
  const env = asVariables({
    vip: address,
    ftp: 'false',
    tftpPort: '0',
    backend: `${first.address}:${first.port} ${second.address}:${second.port}`,
    singlePort: 'true',
    healthInterval: '0',
    admin: 'false',
    logLevel: 'silent',
  });
  const program = startTftpLb([], { env });
  const port = await until('it listens', () => udpPortsAt(program.pid ?? 0, address)[0]);
  for (let at = 0; at < 2; at += 1) {
    const { bytes, peer } = await fetchFile({ address, port }, 'image');
    expect({ bytes, peer }).toEqual({ bytes: image, peer: { address, port } });
  }
  expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
  expect(await program.stop()).toMatchObject({ code: 0, stdout: '', stderr: '' });
});
