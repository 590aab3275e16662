import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { optionInfos } from '../../../src/config/options.ts';
import { command, type Outcome } from './scene.ts';

/** What the balancer of TFTP was told of requests. */
function requestsOf({ config }: Outcome): object | undefined {
  return config?.services.find((service) => service.kind === 'tftp')?.requests;
}

const least = ['--log-level', 'silent', '--vip', '192.0.2.1', '--backend', '192.0.2.11'];

describe('the command line', () => {
  it('runs the balancer without naming a command, or by its name', async () => {
    const { config, exitCode } = await command(least);
    expect(exitCode).toBe(0);
    expect(config?.services[0]?.listeners).toEqual([{ address: '192.0.2.1', port: 69 }]);
    expect((await command(['serve', ...least])).config).toEqual(config);
  });

  it('takes values behind a space or an equals sign, and repeats what is repeatable', async () => {
    const { config } = await command([...least, '--vip=::1', '--backend=a,weight=2', '--tftp-port=6969']);
    expect(config?.services[0]?.listeners).toEqual([
      { address: '192.0.2.1', port: 6969 },
      { address: '::1', port: 6969 },
    ]);
    expect(config?.services[0]?.backends.map(({ name, weight }) => [name, weight])).toEqual([
      ['192.0.2.11', 1],
      ['a', 2],
    ]);
  });

  it('lets the last of two values count where one is wanted', async () => {
    const { config } = await command([...least, '--tftp-port', '70', '--tftp-port', '71']);
    expect(config?.services[0]?.listeners[0]?.port).toBe(71);
  });

  it('turns on and off', async () => {
    const environment = { TFTP_LB_READ_ONLY: 'true', TFTP_LB_STRIP_MULTICAST: 'false' };
    const off = await command([...least, '--no-read-only', '--no-admin'], { environment });
    expect(requestsOf(off)).toMatchObject({ readOnly: false, stripMulticast: false });
    expect(off.config?.admin.listen).toBeUndefined();
    const on = await command([...least, '--strip-multicast', '--retry-not-found'], { environment });
    expect(requestsOf(on)).toMatchObject({
      readOnly: true,
      stripMulticast: true,
      retryNotFound: true,
    });
  });

  it('knows a flag for every option', async () => {
    for (const { flag, kind, negatable } of optionInfos) {
      const forms = [flag, ...(negatable ? [`--no-${flag.slice(2)}`] : [])];
      for (const form of forms) {
        const { failures } = await command([...least, form]);
        expect(
          failures.filter((line) => line.includes('unknown')),
          form,
        ).toEqual([]);
        if (kind !== 'switch' && form === flag) expect(failures.join(), form).toContain(`${flag}: `);
      }
    }
  });
});

describe('a wrong command line', () => {
  it('fails with a line for each fault, from wherever it comes, and exit code 2', async () => {
    const args = ['--vip', '--backend', 'a', '--tftp-port=x', '--tftp-prot', '70', '-v', '--read-only=yes'];
    const { failures, exitCode, config } = await command(args, {
      environment: { TFTP_LB_TRY_INTERVAL: 'soon' },
    });
    expect(failures).toEqual([
      '--tftp-prot: unknown flag; did you mean --tftp-port?',
      '-v: unknown flag',
      '--read-only: takes no value',
      '--vip: required: the address to listen on, ADDR',
      '--tftp-port "x": expected a whole number from 0 to 65535',
      'TFTP_LB_TRY_INTERVAL "soon": expected a duration from 10ms to 1m, such as 500ms, 10s or 1m',
    ]);
    expect(exitCode).toBe(2);
    expect(config).toBeUndefined();
  });

  it('includes words that are no flags', async () => {
    const { failures } = await command(['servee', 'x', ...least]);
    expect(failures).toEqual([
      'argument "servee": not expected; did you mean serve?',
      'argument "x": not expected',
    ]);
  });

  it('is told so of a secret in an unknown flag without repeating it', async () => {
    const { failures } = await command([...least, '--password=secret']);
    expect(failures).toEqual(['--password: unknown flag']);
  });
});

describe('check', () => {
  const rest = least.slice(2);

  it('says that all is well', async () => {
    expect(await command(['check', ...rest])).toMatchObject({
      stdout: 'the configuration is valid\n',
      exitCode: 0,
      config: undefined,
    });
  });

  it('warns of what is probably wrong, and is content all the same', async () => {
    const { stderr, exitCode } = await command(['check', ...rest, '--health-interval', '0']);
    expect(stderr).toContain('tftp-lb: warning: --health-interval 0: without health checks');
    expect(exitCode).toBe(0);
  });

  it('finds what serve finds', async () => {
    const wrong = ['--vip', 'x', '--nonsense'];
    const { failures, exitCode } = await command(['check', ...wrong]);
    expect(failures).toEqual((await command(wrong)).failures);
    expect(failures).toHaveLength(3);
    expect(exitCode).toBe(2);
  });

  it('prints the file that the command line amounts to', async () => {
    const { stdout } = await command(['check', '--print', ...rest, '--no-admin', '--tid-ports=40000-49999']);
    expect(parse(stdout)).toMatchObject({
      services: { tftp: { listeners: ['192.0.2.1'], tftp: { 'tid-ports': '40000-49999' } } },
      admin: { listen: false },
      log: { level: 'info' },
    });
  });
});
