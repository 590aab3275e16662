/** The examples in examples/ and in the help texts, run as they stand. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { optionInfos } from '../../src/config/options.ts';
import { parseDuration } from '../../src/config/duration.ts';
import { noise } from '../helpers/folders.ts';
import { stopAll } from '../helpers/processes.ts';
import { lacksSite, Site, siteFiles, siteObstacle } from '../helpers/site.ts';
import { runTftpLb } from './cli.ts';
import { examplesOf, isServing, root, textOf } from './documents.ts';

afterAll(stopAll);

const scripts = readdirSync(path.join(root, 'examples')).filter((file) => file.endsWith('.sh'));
const configs = readdirSync(path.join(root, 'examples')).filter((file) => file.endsWith('.yaml'));
const unit = textOf('examples/tftp-lb.service');
const [, execStart = ''] = /^ExecStart=(.*)$/m.exec(unit) ?? [];

const motd = Buffer.from(siteFiles['motd'] ?? []).toString();

/** What an example has of services, as far as the tests care. */
interface Services {
  readonly services: Readonly<Record<string, { readonly protocol: 'tftp' | 'ftp' }>>;
}

/** Lines of the log that tell of a listener. */
function linesOf(output: string): { readonly service?: string; readonly listener?: string }[] {
  const lines = output.split('\n').filter((line) => line.includes('"event":"listener.up"'));
  return lines.map((line) => JSON.parse(line) as { service: string; listener: string });
}

async function helpExamples(...args: readonly string[]): Promise<string[]> {
  const { stdout } = await runTftpLb([...args, '--help']);
  const examples = examplesOf(stdout);
  expect(examples.length).toBeGreaterThan(0);
  return examples;
}

test('the unit gives transfers the time that the balancer gives them', () => {
  const drainTimeout = optionInfos.find(({ key }) => key === 'drainTimeout')?.fallback ?? '';
  const [, stop = ''] = /^TimeoutStopSec=(\d+)$/m.exec(unit) ?? [];
  expect(Number(stop) * 1_000).toBeGreaterThan(parseDuration(drainTimeout) ?? Infinity);
});

describe.skipIf(lacksSite)(`examples, at ${siteObstacle ?? 'a site of its own'}`, () => {
  const site = new Site();

  const local = (name: string): Buffer => readFileSync(path.join(site.folder, name));

  beforeAll(() => site.open());

  /** Starts a balancer, reads a file through it, and ends it. */
  async function tryBalancer(line: string): Promise<void> {
    const balancer = await site.start(line, '"serving"');
    const [, port = ''] = /"listener":"192\.0\.2\.1:(\d+)"/.exec(balancer.stdout) ?? [];
    const get = await site.run(`tftp-lb get tftp://192.0.2.1:${port}/motd -o -`);
    expect(get).toMatchObject({ code: 0, stdout: motd });
    balancer.signal('SIGTERM');
    expect(await balancer.ended).toMatchObject({ code: 0, stderr: '' });
  }

  test.each(scripts)('%s balances', async (script) => {
    await tryBalancer(path.join(root, 'examples', script));
  });

  test.each(configs)('%s is checked without a fault, and each of its services balances', async (config) => {
    const file = path.join(root, 'examples', config);
    expect(await site.run(`tftp-lb check ${file}`)).toMatchObject({ code: 0 });
    const balancer = await site.start(`tftp-lb --config ${file}`, '"serving"');
    const served = linesOf(balancer.stdout).filter(({ listener = '' }) => listener.startsWith('192.0.2.1:'));
    const { services } = parse(readFileSync(file, 'utf8')) as Services;
    expect(new Set(served.map(({ service }) => service))).toEqual(new Set(Object.keys(services)));
    for (const { service = '', listener } of served) {
      const url = `${services[service]?.protocol}://${listener}/motd`;
      const read = await site.run(`curl --silent --show-error ${url}`);
      expect({ url, ...read }).toMatchObject({ code: 0, stdout: motd });
    }
    balancer.signal('SIGTERM');
    expect(await balancer.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('tftp-lb.service balances', async () => {
    await tryBalancer(execStart);
  });

  test('tftp-lb --help has command lines that work', async () => {
    for (const line of await helpExamples()) {
      if (isServing(line)) await tryBalancer(line);
      else expect({ line, ...(await site.run(line)) }).toMatchObject({ code: 0 });
    }
  });

  test('tftp-lb demo --help has command lines that work', async () => {
    for (const line of await helpExamples('demo')) {
      if (line.endsWith('--keep')) {
        const demo = await site.start(line, 'Ctrl-C ends it');
        demo.signal('SIGINT');
        expect(await demo.ended).toMatchObject({ code: 0, stderr: '' });
      } else expect(await site.run(line)).toMatchObject({ code: 0, stderr: '' });
    }
  });

  describe('with a balancer at 192.0.2.1', () => {
    beforeAll(async () => {
      await site.start('tftp-lb --vip 0.0.0.0 --backend 192.0.2.11 --backend 192.0.2.12', '"serving"');
    });

    test('tftp-lb get --help has command lines that work', async () => {
      for (const line of await helpExamples('get')) {
        expect({ line, ...(await site.run(line)) }).toMatchObject({ code: 0 });
      }
      expect(local('pxelinux.0')).toEqual(siteFiles['pxelinux.0']);
      expect(local('vmlinuz')).toEqual(siteFiles['images/kernel']);
    });

    test('tftp-lb put --help has command lines that work', async () => {
      const router = noise(3_000, 'router');
      writeFileSync(path.join(site.folder, 'router.cfg'), router);
      writeFileSync(path.join(site.folder, 'firmware.bin'), noise(90_000, 'firmware'));
      for (const line of await helpExamples('put')) {
        expect({ line, ...(await site.run(line)) }).toMatchObject({ code: 0 });
      }
      await site.run('tftp-lb get tftp://192.0.2.12/backup/router.cfg -o uploaded');
      expect(local('uploaded')).toEqual(router);
    });
  });
});
