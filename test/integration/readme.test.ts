/** The documentation, tried out: its commands run as they stand, and what it names exists. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { optionInfos } from '../../src/config/options.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { stopAll, type Program } from '../helpers/processes.ts';
import { lacksSite, Site, siteFiles, siteObstacle } from '../helpers/site.ts';
import { command } from '../unit/cli/scene.ts';
import { commandsOf, documents, isServing, root, textOf } from './documents.ts';

const { scripts } = JSON.parse(textOf('package.json')) as { scripts: Record<string, string> };

/** What whoever runs this test has done already, what has a test of its own, and what runs tests or benches. */
const notRunHere = [
  'npm ci',
  'npm pack',
  'npm install --global',
  'npm test',
  'npm run check',
  'npm run soak',
  'npm run bench',
];

afterAll(async () => {
  await stopAll();
  removeFolders();
});

describe.skipIf(lacksSite)(`the README, at ${siteObstacle ?? 'a site of its own'}`, () => {
  const site = new Site();

  beforeAll(() => site.open());

  /** npm may have something to say about its own configuration; all others are quiet when all is well. */
  async function runWell(line: string): Promise<void> {
    const isNpm = line.startsWith('npm ');
    const exit = await site.run(line, isNpm ? root : site.folder);
    expect({ line, ...exit }).toMatchObject({ code: 0, ...(isNpm ? {} : { stderr: '' }) });
  }

  test('has commands that work one after the other', async () => {
    let balancer: Program | undefined;
    for (const line of commandsOf('README.md')) {
      if (notRunHere.some((command) => line.startsWith(command))) continue;
      if (isServing(line)) balancer = await site.start(line, '"serving"');
      else await runWell(line);
    }
    const menu = siteFiles['boot/menu.cfg'];
    expect(readFileSync(path.join(site.folder, 'menu.cfg'))).toEqual(menu);
    for (const protocol of ['tftp', 'ftp']) {
      await site.run(`curl --silent ${protocol}://192.0.2.12/incoming/menu.cfg --output by-${protocol}`);
      expect(readFileSync(path.join(site.folder, `by-${protocol}`))).toEqual(menu);
    }

    balancer?.signal('SIGTERM');
    expect(await balancer?.ended).toMatchObject({ code: 0, stderr: '' });
    const shares = ['192.0.2.11', '192.0.2.11', '192.0.2.12'];
    expect(backendsOf(linesOf(balancer, 'session.end'))).toEqual(shares);
    const transfers = linesOf(balancer, 'ftp.transfer');
    expect(backendsOf(transfers)).toEqual(shares);
    const active = transfers.find(({ clientMode }) => clientMode === 'active') ?? {};
    expect(active).toEqual({
      ...shownFtpLine(),
      time: expect.stringMatching(/Z$/),
      client: expect.stringMatching(/^192\.0\.2\.1:\d+$/),
      backend: expect.any(String),
      duration: expect.any(Number),
    });
    expect(Object.keys(active)).toEqual(Object.keys(shownFtpLine()));
  });
});

type Line = Readonly<Record<string, unknown>>;

function linesOf(balancer: Program | undefined, event: string): Line[] {
  const lines = balancer?.stdout.split('\n').filter((line) => line.includes(`"event":"${event}"`)) ?? [];
  return lines.map((line) => JSON.parse(line) as Line);
}

/** Of transfers that ended well, whom they were with. */
function backendsOf(lines: readonly Line[]): string[] {
  for (const line of lines) expect(line).toMatchObject({ result: 'ok' });
  return lines.map(({ backend }) => String(backend)).toSorted();
}

/** The line of an FTP transfer that the README shows. */
function shownFtpLine(): Line {
  const shown = textOf('README.md').matchAll(/```json\n(\{.*?\n\})\n```/gs);
  const lines = [...shown].map(([, json = '']) => JSON.parse(json) as Line);
  return lines.find(({ event }) => event === 'ftp.transfer') ?? {};
}

test('the options that the README recommends are valid', async () => {
  const rows = textOf('README.md').matchAll(/^\| [^|]* \| `(--[^`]*)`/gm);
  const options = [...rows].map(([, option = '']) => option);
  expect(options.length).toBeGreaterThan(5);
  // The files that they name are read, too.
  const folder = temporaryFolder('readme');
  const { certificate, key } = makeKeyPair();
  writeFileSync(path.join(folder, 'monitor'), 'secret\n');
  writeFileSync(path.join(folder, 'ftp.pem'), `${certificate}${key}`);
  for (const option of options) {
    const words = option.replaceAll('/etc/tftp-lb', folder).split(' ');
    const args = ['check', '--vip', '0.0.0.0', '--backend', '192.0.2.12', ...words];
    expect({ option, ...(await command(args)) }).toMatchObject({ exitCode: 0, failures: [] });
  }
});

/** What `pattern` catches in each document and `isKnown` does not know. */
function unknown(pattern: RegExp, isKnown: (found: string, file: string) => boolean): string[] {
  return documents.flatMap((file) => {
    const found = [...textOf(file).matchAll(pattern)].map(([, name = '']) => name);
    return found.filter((name) => !isKnown(name, file)).map((name) => `${file}: ${name}`);
  });
}

function isThere(link: string, file: string): boolean {
  return existsSync(path.join(root, path.dirname(file), link));
}

describe('the documents', () => {
  test('name scripts that there are', () => {
    expect(unknown(/npm run ([a-z]+)/g, (script) => script in scripts)).toEqual([]);
  });

  test('link to files that there are', () => {
    expect(unknown(/\]\((?!https?:)([^)#]+)/g, isThere)).toEqual([]);
  });

  test('name variables that there are', () => {
    // Kubernetes sets the last two for a service of that name.
    const known = [...optionInfos.map(({ variable }) => variable), 'TFTP_LB_SERVICE_HOST', 'TFTP_LB_PORT'];
    expect(unknown(/(TFTP_LB_[A-Z0-9_]*[A-Z0-9])/g, (variable) => known.includes(variable))).toEqual([]);
  });
});
