/** What options of TLS do to data connections of clients. */
import { constants } from 'node:crypto';
import type { ConnectionOptions } from 'node:tls';
import { expect, test } from 'vitest';
import { content, download, isContent, upload } from '../helpers/ftp-transfers.ts';
import { until } from '../helpers/processes.ts';
import { NodeSocket } from '../helpers/tls-net.ts';
import { startFtpBalancer, startFtpServer } from './ftp.ts';
import { type SecureClient, secureLogin } from './ftps.ts';
import { certificate } from './ftps-raw.ts';
import type { FlagTests } from './flags.ts';

const front = ['--ftp-tls=required', `--tls-cert=${certificate}`];

/** Whose session a data connection resumes. */
type Ticket = 'own' | 'foreign' | 'none';

/** The final reply to a download, and whether its data connection resumed a session, as far as the client knows. */
async function outcomeOf({ client, resumed }: SecureClient): Promise<readonly [string, boolean]> {
  const at = await client.epsv();
  client.send('RETR file');
  const { socket, ear } = await client.connect(at);
  await client.until('its end', () => ear.isClosed || ear.events.includes('end'));
  socket.end();
  const code = await until('the final reply', () => /^(?:226|425|426) /m.exec(client.unread)?.[0].trim());
  return [code, resumed.at(-1) ?? false];
}

export const dataTests: FlagTests = {
  dataTlsResume: () => {
    test.each<[string, Ticket, string, boolean]>([
      ['off', 'own', '226', true],
      ['off', 'foreign', '226', true],
      ['off', 'none', '226', false],
      ['prefer', 'own', '226', true],
      ['prefer', 'foreign', '226', false],
      ['prefer', 'none', '226', false],
      ['require', 'own', '226', true],
      ['require', 'foreign', '426', false],
      ['require', 'none', '426', false],
    ])('%s: a data connection with the ticket %s gets %s', async (mode, ticket, code, isResumed) => {
      const balancer = await startFtpBalancer(
        [await startFtpServer()],
        ...front,
        `--data-tls-resume=${mode}`,
        '--workers=1',
      );
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const client = await secureLogin(balancer.listener, { maxVersion });
        if (ticket === 'none') client.session = undefined;
        if (ticket === 'foreign') {
          client.session = (await secureLogin(balancer.listener, { maxVersion })).session;
        }
        expect(await outcomeOf(client)).toEqual([code, isResumed]);
        if (code === '226') continue;
        await balancer.said({ event: 'ftp.tls-failed', reason: 'not-resumed', channel: 'data' });
      }
    });

    test.each<[string, ConnectionOptions]>([
      ['one ticket after the other', { minVersion: 'TLSv1.3' }],
      ['one ticket for all', { maxVersion: 'TLSv1.2' }],
      [
        'the ID of the session, without tickets',
        { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET },
      ],
    ])('require goes on with %s', async (_, options) => {
      const { listener } = await startFtpBalancer(
        [await startFtpServer()],
        ...front,
        '--data-tls-resume=require',
      );
      const own = await secureLogin(listener, options);
      for (let n = 0; n < 20; n += 1) await download(own.client, n % 2 === 0 ? 'EPSV' : 'PASV');
      expect(own.resumed).toEqual(Array.from({ length: 20 }, () => true));
    });
  },

  tlsEof: () => {
    test.each([
      ['strict', '426 ', undefined],
      ['lenient', '226 ', content],
    ])('%s: an upload without a close_notify gets %s', async (mode, code, stored) => {
      const server = await startFtpServer();
      const balancer = await startFtpBalancer([server], ...front, `--tls-eof=${mode}`);
      const { client } = await secureLogin(balancer.listener);
      const at = await client.epsv();
      client.send('STOR copy');
      const { socket } = await client.connect(at);
      if (!(socket instanceof NodeSocket)) throw new Error('this is not under TLS');
      socket.write(content);
      await until('it is out', () => (socket.pending === 0 ? true : undefined));
      socket.raw.end();
      expect(await client.line()).toBe('150 go on');
      expect((await client.line()).slice(0, 4)).toBe(code);
      expect(isContent(server.server.files.get('copy'))).toBe(stored !== undefined);
      await balancer.said({ event: 'ftp.transfer', result: stored ? 'ok' : 'client-reset' });
      await upload(client, 'EPSV', server.server);
    });
  },
};
