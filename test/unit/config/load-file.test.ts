import { afterAll, describe, expect, it } from 'vitest';
import type { Config } from '../../../src/config/config.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { FlagValues } from '../../../src/config/sources.ts';
import { removeFolders } from '../../helpers/folders.ts';
import { configOf, faultsOf, loadFile, pxe } from './scene.ts';

afterAll(removeFolders);

/** A service of FTP. */
function ftp(health: string, ftp: string): Config {
  const text = `${pxe.replace('tftp', 'ftp')}    health: {${health}}\n    ftp: {${ftp}}\n`;
  return configOf(loadFile(text));
}

function stands(source: string, key: string): string {
  return `${source}: cannot stand beside a file of services: say it in lab.yaml, as ${key}`;
}

describe('a file', () => {
  it('has services by name, each with listeners and backends, and a default for all else', () => {
    const flags = { vip: ['192.0.2.1'], backend: ['192.0.2.11'], ftp: false } satisfies FlagValues;
    const { services, ...rest } = configOf(loadConfig(flags, {}));
    expect(configOf(loadFile(pxe))).toEqual({ ...rest, services: [{ ...services[0], name: 'pxe' }] });
  });

  it('takes listeners and backends as text or in parts, with the ports of the service and of the protocol', () => {
    const { services } = configOf(
      loadFile(`
services:
  boot:
    protocol: tftp
    port: 6969
    listeners: [192.0.2.1, "192.0.2.2:70", "::1", "[2001:db8::1]:71", { address: 192.0.2.3 }, { address: "::2", port: 72 }]
    backends:
      - Files.Example
      - 192.0.2.11:7000,weight=3,name=big
      - { host: "2001:db8::11", port: 7001, weight: 2 }
      - { host: 192.0.2.12, name: small }
`),
    );
    expect(services[0]?.listeners).toEqual([
      { address: '192.0.2.1', port: 6969 },
      { address: '192.0.2.2', port: 70 },
      { address: '::1', port: 6969 },
      { address: '2001:db8::1', port: 71 },
      { address: '192.0.2.3', port: 6969 },
      { address: '::2', port: 72 },
    ]);
    expect(services[0]?.backends).toEqual([
      { name: 'Files.Example', host: 'files.example', port: 69, weight: 1 },
      { name: 'big', host: '192.0.2.11', port: 7000, weight: 3 },
      { name: '[2001:db8::11]:7001', host: '2001:db8::11', port: 7001, weight: 2 },
      { name: 'small', host: '192.0.2.12', port: 69, weight: 1 },
    ]);
  });

  it('takes numbers, switches and lists as such and as text', () => {
    expect(
      ftp('timeout: 2, rise: 3', 'deny: [SITE, dele], modes: [active, passive], idle-timeout: 7'),
    ).toEqual(
      ftp('timeout: 2s, rise: "3"', 'deny: "site,DELE", modes: "active,passive", idle-timeout: 7000ms'),
    );
  });

  it('may share sections between services', () => {
    const { services } = configOf(
      loadFile(`
services:
  one: &common
    protocol: tftp
    listeners: [192.0.2.1]
    backends: [192.0.2.11]
    limits: &few { max-sessions: 7 }
  two:
    <<: *common
    listeners: [192.0.2.2]
  three: { protocol: ftp, listeners: [192.0.2.1], backends: [a], limits: *few }
`),
    );
    expect(services.map(({ limits }) => limits.total)).toEqual([7, 7, 7]);
    expect(services.map(({ kind }) => kind)).toEqual(['tftp', 'tftp', 'ftp']);
  });

  it('may be JSON', () => {
    const services = { pxe: { protocol: 'tftp', listeners: ['::1'], backends: ['a'] } };
    expect(configOf(loadFile(JSON.stringify({ services }))).services[0]?.name).toBe('pxe');
  });

  it('may say everything about the process', () => {
    const text = `${pxe}
admin: { listen: false }
log: { level: debug }
drain-timeout: 0
workers: 3
engine: portable
busy-poll: 0
`;
    expect(configOf(loadFile(text))).toMatchObject({
      admin: { listen: undefined },
      log: { level: 'debug' },
      drainTimeout: 0,
      workers: 3,
      engine: 'portable',
      busyPoll: 0,
    });
  });
});

describe('beside a file', () => {
  it('flags count before variables, and those before the file', () => {
    const text = `${pxe}\nworkers: 1\nbusy-poll: 1\ndrain-timeout: 1s\nadmin: { listen: "127.0.0.1:1" }\n`;
    const config = configOf(
      loadFile(text, {
        flags: { workers: '3', admin: false, watch: true },
        environment: { TFTP_LB_WORKERS: '2', TFTP_LB_BUSY_POLL: '2', TFTP_LB_LOG_LEVEL: 'warn' },
      }),
    );
    expect(config).toMatchObject({
      workers: 3,
      busyPoll: 2,
      drainTimeout: 1000,
      admin: { listen: undefined },
      log: { level: 'warn' },
    });
  });

  it('what is wrong with them is said of them', () => {
    const beside = { flags: { workers: '0' }, environment: { TFTP_LB_ENGINE: 'windows' } } as const;
    expect(faultsOf(loadFile(`${pxe}\nworkers: 1\n`, beside))).toEqual([
      '--workers "0": expected auto or a whole number from 1 to 256',
      'TFTP_LB_ENGINE "windows": expected one of auto, portable, linux',
    ]);
  });

  it('nothing about services can be said', () => {
    const flags = { vip: ['x'], tftp: false, backend: ['a'], tryInterval: '1s', readOnly: true } as const;
    const faults = faultsOf(loadFile(pxe, { flags, environment: { TFTP_LB_XFERLOG: '/x' } }));
    expect(faults).toEqual([
      stands('--vip', 'services.NAME.listeners'),
      stands('--tftp', 'services'),
      stands('--backend', 'services.NAME.backends'),
      stands('--read-only', 'services.NAME.read-only'),
      stands('--try-interval', 'services.NAME.tftp.try-interval'),
      stands('TFTP_LB_XFERLOG', 'services.NAME.ftp.xferlog'),
    ]);
  });

  it('the path may be a variable', () => {
    const loaded = loadFile(pxe);
    const file = loaded.kind === 'config' ? loaded.file : undefined;
    expect(loadConfig({}, { TFTP_LB_CONFIG: file, TFTP_LB_WATCH: 'true' })).toMatchObject({
      file,
      watch: true,
    });
  });
});

describe('without a file', () => {
  it('there is nothing to watch', () => {
    expect(faultsOf(loadConfig({ vip: ['::1'], backend: ['a'], watch: true }, {}))).toEqual([
      '--watch: needs --config',
    ]);
  });
});
