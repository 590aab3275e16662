/** What is said of probes, and of where the operator is let in. */
import { describe, expect, it } from 'vitest';
import type { Config, ProbeSpec } from '../../../src/config/config.ts';
import { faultText } from '../../../src/config/fault.ts';
import { loadConfig } from '../../../src/config/load.ts';
import type { Environment, FlagValues } from '../../../src/config/sources.ts';

function loaded(flags: FlagValues, environment: Environment = {}): Config | string[] {
  const result = loadConfig({ vip: ['192.0.2.1'], backend: ['192.0.2.11'], ...flags }, environment);
  return result.kind === 'config' ? result.config : result.faults.map(faultText);
}

function configOf(flags: FlagValues, environment: Environment = {}): Config {
  const result = loaded(flags, environment);
  if (Array.isArray(result)) throw new Error(result.join('\n'));
  return result;
}

/** The probes of TFTP and of FTP. */
function probesOf(flags: FlagValues): ProbeSpec[] {
  return configOf(flags).services.map(({ health }) => health.probe);
}

describe('a probe', () => {
  it.each<[string, ProbeSpec]>([
    ['tcp', { kind: 'tcp', port: undefined }],
    ['tcp:22', { kind: 'tcp', port: 22 }],
    ['exec:/bin/true', { kind: 'exec', program: '/bin/true', args: [] }],
    [
      ' exec:/opt/check --to={address}  {port} $HOME'.trim(),
      { kind: 'exec', program: '/opt/check', args: ['--to={address}', '{port}', '$HOME'] },
    ],
  ])('may be %s for either protocol', (text, probe) => {
    expect(probesOf({ tftpHealthProbe: text })).toEqual([probe, { kind: 'protocol' }]);
    expect(probesOf({ ftpHealthProbe: text })).toEqual([{ kind: 'protocol' }, probe]);
  });

  it('is that of the protocol by its name', () => {
    expect(probesOf({ tftpHealthProbe: 'tftp', ftpHealthProbe: 'ftp' })).toEqual([
      { kind: 'protocol' },
      { kind: 'protocol' },
    ]);
  });

  it.each(['', 'ftp', 'tcp:', 'tcp:0', 'tcp:65536', 'exec', 'exec:', 'exec:check', 'exec:/x\0', 'http:80'])(
    'is not %j for TFTP',
    (text) => {
      expect(loaded({ tftpHealthProbe: text })).toEqual([
        expect.stringContaining('expected tftp, tcp, tcp:PORT, or exec:COMMAND with the absolute path'),
      ]);
    },
  );

  it('compares a content only where it is that of TFTP', () => {
    expect(loaded({ healthSha256: '0'.repeat(64), tftpHealthProbe: 'tcp:22' })).toEqual([
      expect.stringMatching(
        /^--health-sha256 .*: compares what TFTP delivers; it excludes any other --tftp-health-probe$/,
      ),
    ]);
    expect(loaded({ healthSha256: '0'.repeat(63) })).toEqual([
      expect.stringContaining('expected a SHA-256 of 64 hexadecimal digits'),
    ]);
  });
});

describe('the admin socket', () => {
  it.each([
    [{ adminSocket: false }, {}],
    [{}, { TFTP_LB_ADMIN_SOCKET: 'false' }],
  ] as const)('may be turned off: %j %j', (flags, environment) => {
    expect(configOf(flags, environment).admin.socket).toBeUndefined();
  });

  it('has a path that sockets have room for', () => {
    const longest = `/${'x'.repeat(106)}`;
    expect(configOf({ adminSocket: longest }).admin.socket).toBe(longest);
    for (const path of [`${longest}x`, `/${'ž'.repeat(54)}`, 'a\0', '']) {
      expect(loaded({ adminSocket: path })).toEqual([
        expect.stringContaining('expected a path of up to 107 bytes, or false'),
      ]);
    }
  });
});

it('a token needs an address that it is for', () => {
  expect(loaded({ adminTokenFile: '/etc/token', admin: false })).toEqual([
    '--admin-token-file "/etc/token": needs --admin',
  ]);
});
