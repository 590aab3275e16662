/** The arguments of PASS and ACCT: servers get them, and nobody else does, however much is logged. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { temporaryFolder } from '../helpers/folders.ts';
import { say } from '../helpers/ftp-server.ts';
import { download } from '../helpers/ftp-transfers.ts';
import { stopAll } from '../helpers/processes.ts';
import { connectTo, startFtpBalancer, startFtpServer } from './ftp.ts';

afterAll(stopAll);

const secret = 'hunter2-in-plain-text';

test('a password is in no log and on no page', async () => {
  const xferlog = path.join(temporaryFolder('secrets'), 'xferlog');
  const server = await startFtpServer({ handlers: { ACCT: say('230 in') } });
  const flags = ['--log-level=trace', '--ftp-deny=ACCT', `--xferlog=${xferlog}`];
  const balancer = await startFtpBalancer([server], ...flags);
  const client = await connectTo(balancer.listener);
  await client.line();

  expect(await client.ask(`PASS ${secret}\0`)).toMatch(/^500 /);
  expect(await client.ask(`PASS ${secret}${'x'.repeat(5_000)}`)).toMatch(/^500 /);
  expect(await client.ask(` PASS ${secret}`)).toMatch(/^500 /);
  await client.ask('USER joe');
  expect(await client.ask(`pass ${secret}`)).toMatch(/^230 /);
  expect(await client.ask(`ACCT ${secret}`)).toMatch(/^550 /);
  expect(await client.ask(`ADAT ${secret}`)).toMatch(/^502 /);
  await download(client, 'EPSV');
  // Nobody answers it, so that the session breaks while it is under way.
  server.server.handlers['PASS'] = (session) => session.control.reset();
  client.send('USER jim');
  client.send(`PASS ${secret}`);
  await balancer.said({ event: 'ftp.session.end', end: 'backend-reset' });

  expect(server.server.last.heard).toContain(`pass ${secret}`);
  const pages = await Promise.all(
    ['/metrics', '/status'].map(async (page) => (await balancer.admin(page)).text()),
  );
  const { stdout, stderr } = balancer.program;
  for (const text of [stdout, stderr, readFileSync(xferlog, 'utf8'), ...pages]) {
    expect(text).not.toContain('hunter2');
  }
});
