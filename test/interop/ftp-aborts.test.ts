/** Downloads that a client breaks off with ABOR, in the ways in which clients do, before real servers. */
import { truncateSync } from 'node:fs';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish } from '../helpers/folders.ts';
import { ftpServerNames } from '../helpers/ftp-daemon-specs.ts';
import { startFtpServer } from '../helpers/ftp-daemons.ts';
import { lacks, requirePeer } from '../helpers/peers.ts';
import { run, stopAll } from '../helpers/processes.ts';

const script = path.join(import.meta.dirname, '../helpers/ftp-abort.py');
const small = noise(1_000, 'small');

afterEach(stopAll);
afterAll(cleanUp);

/** The second one is ABOR's own. */
const answers = expect.stringMatching(/^426 22[56]$/) as string;

describe.each(ftpServerNames)('%s', (name) => {
  describe.skipIf(lacks(name, 'python3'))('is told of it', () => {
    test.each([
      ['ABOR alone', 'plain', 'reset', 'client-abort'],
      ['the Telnet interrupt in front, a byte of it urgent', 'Telnet', 'reset', 'client-abort'],
      ['its last byte urgent', 'ftplib', 'reset', 'client-abort'],
      // To both together pure-ftpd may have one reply.
      [
        'the data connection closed in front',
        'closed',
        'closed',
        expect.stringMatching(/^client-/) as string,
      ],
    ])('by ABOR: %s', async (_, how, ended, result) => {
      const server = await startFtpServer(name);
      publish(server.root, 'small', small);
      publish(server.root, 'endless', small);
      // A hole that nobody comes to the end of.
      truncateSync(path.join(server.root, 'endless'), 2 ** 36);
      const balancer = await startBalancer([server], { protocol: 'ftp' });
      const { user, password } = server;
      const input = JSON.stringify({
        ...balancer.listener,
        user,
        password,
        how,
        endless: 'endless',
        small: 'small',
      });
      const { code, stdout, stderr } = await run(requirePeer('python3'), [script], { input });
      expect([code, stderr]).toEqual([0, '']);
      const heard = JSON.parse(stdout) as { end: string; replies: string[]; small: string };
      expect([heard.end, heard.replies.join(' '), heard.small]).toEqual([
        ended,
        answers,
        small.toString('hex'),
      ]);
      const transfer = await balancer.said({ event: 'ftp.transfer', path: 'endless' });
      expect(transfer).toMatchObject({ result, code: 426 });
      await balancer.said({ event: 'ftp.session.end', end: 'quit', transfers: 2 });
    });
  });
});
