/** How the balancer ends while FTP sessions run: what their clients and the shell see of it. */
import { afterAll, expect, test } from 'vitest';
import type { Balancer } from '../helpers/balancer.ts';
import type { FtpClient, Heard } from '../helpers/ftp-client.ts';
import type { Handler } from '../helpers/ftp-server.ts';
import { content } from '../helpers/ftp-transfers.ts';
import { stopAll } from '../helpers/processes.ts';
import { connectTo, loginTo, standStill, startFtpBalancer, startFtpServer } from './ftp.ts';

afterAll(stopAll);

const bye = '421 Service not available, closing control connection.';

interface Busy {
  readonly balancer: Balancer;
  readonly client: FtpClient;
  readonly data: Heard;
}

/** A client that downloads from a server with such a RETR, and has all that this sends at first. */
async function downloading(retrieve: Handler, ...flags: readonly string[]): Promise<Busy> {
  const server = await startFtpServer({ handlers: { RETR: retrieve } });
  const balancer = await startFtpBalancer([server], ...flags);
  const client = await loginTo(balancer.listener);
  const data = await client.connect(await client.epsv());
  expect(await client.ask('RETR file')).toBe('150 here it comes');
  await client.until('what there is', () => data.ear.length === content.length);
  return { balancer, client, data };
}

test('idle sessions are told at once, busy ones behind their transfer, and the exit code is 0', async () => {
  const { promise: rest, resolve: finish } = Promise.withResolvers<void>();
  const { balancer, client, data } = await downloading(async (session) => {
    session.say('150 here it comes');
    const socket = await session.data();
    socket.write(content);
    await rest;
    socket.end();
    session.say('226 done');
  });
  const idle = await loginTo(balancer.listener);
  balancer.program.signal('SIGTERM');
  expect(await idle.line()).toBe(bye);
  await expect(connectTo(balancer.listener)).rejects.toMatchObject({ code: 'TLB_ERR_REFUSED' });
  expect((await balancer.admin('/readyz')).status).toBe(503);

  client.send('RETR next');
  finish();
  await client.until('the end of data', () => data.ear.events.includes('end'));
  data.socket.end();
  expect([await client.line(), await client.line()]).toEqual(['226 done', bye]);
  expect(data.ear.length).toBe(content.length);
  expect(await balancer.program.ended).toMatchObject({ code: 0, stderr: '' });
  await balancer.said({ event: 'ftp.transfer', result: 'ok', code: 226 });
});

test('a transfer that outlasts the drain is broken and told so, and the exit code is 3', async () => {
  const { balancer, client, data } = await downloading(standStill, '--drain-timeout=200ms');
  balancer.program.signal('SIGTERM');
  expect([await client.line(), await client.line()]).toEqual([
    '426 Connection closed; transfer aborted.',
    bye,
  ]);
  await client.until('a reset', () => data.ear.isClosed);
  expect(data.ear.events).toEqual(['close reset']);
  client.control.end();
  expect(await balancer.program.ended).toMatchObject({ code: 3, stderr: '' });
  await balancer.said({ event: 'ftp.transfer', result: 'shutdown', code: 426 });
});
