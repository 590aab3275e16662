import { describe, expect, it } from 'vitest';
import { CertificateFilesError } from '../../../src/app/certificate-files.ts';
import { CliError } from '../../../src/cli/context.ts';
import { failureOf } from '../../../src/cli/failure.ts';
import { ConfigError } from '../../../src/config/fault.ts';
import { NetError, type NetErrorCode } from '../../../src/net/net.ts';
import { AdminError } from '../../../src/observe/admin.ts';

const net = (code: NetErrorCode): NetError => new NetError(code, 'cannot bind 192.0.2.1 port 69: it is so');

describe('a failure', () => {
  it.each<[NetErrorCode, string[]]>([
    [
      'TLB_ERR_PERMISSION',
      [
        'setcap cap_net_bind_service',
        'AmbientCapabilities=',
        'net.ipv4.ip_unprivileged_port_start',
        '--tftp-port 6969',
        '--ftp-port 2121',
      ],
    ],
    ['TLB_ERR_ADDRESS_IN_USE', ['ss -lntup', '--tftp-port', '--ftp-port']],
    ['TLB_ERR_ADDRESS_NOT_LOCAL', ['--vip', '0.0.0.0']],
    ['TLB_ERR_UNKNOWN_HOST', ['make it resolve']],
    ['TLB_ERR_NO_DESCRIPTORS', ['LimitNOFILE=']],
    ['TLB_ERR_NO_PORTS', ['--tid-ports']],
    ['TLB_ERR_SOCKET', []],
  ])('of the network (%s) is one line that says what to do', (code, hints) => {
    const failure = failureOf(net(code));
    expect(failure?.exitCode).toBe(1);
    expect(failure?.lines).toHaveLength(1);
    expect(failure?.lines[0]).toMatch(/^cannot bind 192\.0\.2\.1 port 69: it is so/);
    for (const hint of hints) expect(failure?.lines[0]).toContain(hint);
  });

  it('of the admin endpoints speaks for itself', () => {
    expect(failureOf(new AdminError('cannot; choose another'))).toEqual({
      lines: ['cannot; choose another'],
      exitCode: 1,
    });
  });

  it('of certificates is one of configuration', () => {
    expect(failureOf(new CertificateFilesError('a.pem: it is so'))).toEqual({
      lines: ['a.pem: it is so'],
      exitCode: 2,
    });
  });

  it('of the configuration is a line for each fault', () => {
    const error = new ConfigError([
      { source: '--vip', value: 'x', problem: 'expected y' },
      { source: '--backend', value: undefined, problem: 'required' },
    ]);
    expect(failureOf(error)).toEqual({
      lines: ['--vip "x": expected y', '--backend: required'],
      exitCode: 2,
    });
  });

  it.each([
    'TLB_ERR_SELF_BACKEND',
    'TLB_ERR_DUPLICATE_BACKEND',
    'TLB_ERR_TOO_MANY_BACKENDS',
    'TLB_ERR_PASSWORD',
    'TLB_ERR_XFERLOG',
  ])('that no second try can mend counts as one of the configuration: %s', (code) => {
    const error = Object.assign(new Error('it is so'), { code });
    expect(failureOf(error)).toMatchObject({ exitCode: 2 });
  });

  it('of a command has the exit code that it asks for', () => {
    expect(failureOf(new CliError(2, 'no such file'))).toEqual({ lines: ['no such file'], exitCode: 2 });
  });

  it('that nobody expected is one line with its place, without a stack trace', () => {
    const failure = failureOf(new TypeError('x is\n  not a function'));
    expect(failure?.exitCode).toBe(1);
    expect(failure?.lines).toEqual([
      expect.stringMatching(
        /^unexpected error: TypeError: x is not a function \(at .*failure\.test\.ts:\d+:\d+\)+$/,
      ),
    ]);
  });

  it.each([['a string'], [undefined], [null]])('may be thrown as anything: %j', (thrown) => {
    expect(failureOf(thrown)).toEqual({ lines: [`unexpected error: ${thrown}`], exitCode: 1 });
  });
});
