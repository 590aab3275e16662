/** What is said of where backends come from. */
import { afterAll, describe, expect, it } from 'vitest';
import type { DiscoveryConfig } from '../../../src/config/config.ts';
import { faultText } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { FlagValues } from '../../../src/config/sources.ts';
import { removeFolders } from '../../helpers/folders.ts';
import { configOf, faultsOf, loadFile } from './scene.ts';

afterAll(removeFolders);

const open = (rest: string, protocol = 'tftp'): string =>
  `services:\n  pxe: { protocol: ${protocol}, listeners: [192.0.2.1], ${rest} }\n`;

function discoveryOf(rest: string, protocol?: string): DiscoveryConfig | undefined {
  const [service] = configOf(loadFile(open(rest, protocol))).services;
  expect(service?.backends).toEqual([]);
  return service?.discovery;
}

const times = { resolveInterval: 30_000, emptyGrace: 60_000 };
const dns = { port: 69, family: undefined, servers: [], minInterval: 5_000, maxInterval: 300_000 };

describe('backends that are found', () => {
  it('may be addresses in DNS', () => {
    expect(discoveryOf('discovery: { dns: Boot.Example. }')).toEqual({
      ...times,
      dns: { ...dns, name: 'boot.example', records: 'address' },
      file: undefined,
    });
  });

  it('may be services in DNS, with ports where the records have none', () => {
    const said = `discovery: {
      dns: { name: _ftp._tcp.example, family: ipv6, min-interval: 1s, max-interval: 1m },
      dns-servers: [127.0.0.1:8600, "::1", "[::1]:54"], empty-grace: 0 }`;
    expect(discoveryOf(said, 'ftp')).toMatchObject({
      emptyGrace: 0,
      dns: {
        name: '_ftp._tcp.example',
        records: 'srv',
        port: 21,
        family: 6,
        servers: [
          { address: '127.0.0.1', port: 8_600 },
          { address: '::1', port: 53 },
          { address: '::1', port: 54 },
        ],
        minInterval: 1_000,
        maxInterval: 60_000,
      },
    });
  });

  it('are of the records that are asked for, whatever the name is like', () => {
    const said = 'discovery: { dns: { name: tftp.service.consul, records: srv, port: 70 } }';
    expect(discoveryOf(said)?.dns).toMatchObject({ records: 'srv', port: 70 });
  });

  it('may be in a file', () => {
    expect(discoveryOf('discovery: { file: /run/list.yaml, resolve-interval: 1m }')).toEqual({
      ...times,
      resolveInterval: 60_000,
      dns: undefined,
      file: { path: '/run/list.yaml', port: 69, pollInterval: 10_000 },
    });
    expect(discoveryOf('discovery: { file: { path: x, port: 70, poll-interval: 1s } }')?.file).toEqual({
      path: 'x',
      port: 70,
      pollInterval: 1_000,
    });
  });

  it.each([
    ['policy: first', 'backends: required: servers to balance over, HOST[:PORT] (or discovery.dns'],
    ['backends: [a], discovery: { dns: a.b }', 'discovery.dns "a.b": cannot stand beside backends'],
    ['backends: [a], discovery: { file: x }', 'discovery.file "x": cannot stand beside backends'],
    [
      'discovery: { dns: a.b, file: x }',
      'discovery.file "x": cannot stand beside services.pxe.discovery.dns',
    ],
    ['discovery: { dns: "a b" }', 'discovery.dns "a b": expected a domain name'],
    ['discovery: { dns: 192.0.2.1 }', 'discovery.dns "192.0.2.1": expected a domain name'],
    ['discovery: { dns: { records: srv } }', 'discovery.dns.name: expected a domain name'],
    ['discovery: { dns: { name: a, record: srv } }', 'discovery.dns.record "srv": unknown key; did you mean'],
    [
      'discovery: { dns: { name: a, min-interval: 6m } }',
      'discovery.dns.min-interval "6m": must not be above services.pxe.discovery.dns.max-interval',
    ],
    ['discovery: { dns: a, dns-servers: [ns.a] }', 'discovery.dns-servers[0] "ns.a": expected ADDR or'],
    ['discovery: { file: { path: "" } }', 'discovery.file.path "": expected a path'],
  ])('cannot be found by {%s}', (rest, fault) => {
    expect(faultsOf(loadFile(open(rest)))).toEqual([expect.stringContaining(fault)]);
  });

  it('are named in routes as they will be', () => {
    const route = 'routes: [{ backends: [192.0.2.11] }]';
    expect(discoveryOf(`discovery: { dns: a.b }, ${route}`)).toBeDefined();
    expect(faultsOf(loadFile(open(`backends: ["192.0.2.11:70"], ${route}`)))).toEqual([
      expect.stringMatching(/routes\[0\]\.backends\[0\] "192.0.2.11": no backend .*mean 192.0.2.11:70\?$/),
    ]);
  });
});

function flagFaults(flags: FlagValues): string[] {
  const loaded = loadConfig({ vip: ['192.0.2.1'], ...flags }, {});
  return loaded.kind === 'faulty' ? loaded.faults.map(faultText) : [];
}

describe('flags', () => {
  it.each<[FlagValues, string]>([
    [{ backend: ['a'], backendsDns: 'b' }, '--backends-dns "b": cannot stand beside backends'],
    [{ ftpBackend: ['a'], backendsFile: 'b' }, '--backends-file "b": cannot stand beside backends'],
    [{ backendsDns: 'a', backendsFile: 'b' }, '--backends-file "b": cannot stand beside --backends-dns'],
    [{ backendsDns: 'a..b' }, '--backends-dns "a..b": expected a domain name'],
    [{ backendsDns: 'a', dnsServer: ['::1', 'b'] }, '--dns-server "b": expected ADDR or ADDR:PORT'],
    [{ tftpBackendsDns: 'a' }, '--backend: required'],
  ])('cannot say where backends are by %j', (flags, fault) => {
    expect(flagFaults(flags)).toEqual([expect.stringContaining(fault)]);
  });

  it('say it for each protocol, or for both', () => {
    const said: FlagValues = { vip: ['192.0.2.1'], backendsDns: 'a.b', ftpBackendsDns: '_ftp._tcp.a' };
    const { services } = configOf(loadConfig(said, {}));
    expect(services.map(({ discovery }) => discovery.dns?.name)).toEqual(['a.b', '_ftp._tcp.a']);
  });
});
