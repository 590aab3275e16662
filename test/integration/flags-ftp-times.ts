/**
 * The times of FTP sessions. None is measured here: a time that is cut short ends what by default would go on for longer
 * than a test may, or comes before another one of the same balancer.
 */
import { expect, test } from 'vitest';
import { content } from '../helpers/ftp-transfers.ts';
import { connectTo, loginTo, standStill, startFtpBalancer, startFtpServer } from './ftp.ts';
import type { FlagTests } from './flags.ts';
import { startDeafServer } from './deaf-server.ts';

export const timeTests: FlagTests = {
  ftpConnectTimeout: () => {
    test('is how long a server may take to be reached, before the next one is tried', async () => {
      const [deaf, server] = [await startDeafServer(), await startFtpServer()];
      const flags = ['--ftp-connect-timeout=100ms', '--ftp-login-timeout=2s'];
      const balancer = await startFtpBalancer([deaf, server], ...flags, '--log-level=debug');
      for (let at = 0; at < 2; at += 1) {
        expect(await (await connectTo(balancer.listener)).line()).toBe('220 server ready');
      }
      await balancer.said({ event: 'session.failover', from: 'b0', to: 'b1', reason: 'silent' });
    });
  },

  ftpGreetingTimeout: () => {
    test('is how long a server may take to greet, before the next one is tried', async () => {
      const servers = [await startFtpServer({ greeting: undefined }), await startFtpServer()];
      const flags = ['--ftp-greeting-timeout=100ms', '--ftp-login-timeout=2s'];
      const balancer = await startFtpBalancer(servers, ...flags, '--log-level=debug');
      for (let at = 0; at < 2; at += 1) {
        expect(await (await connectTo(balancer.listener)).line()).toBe('220 server ready');
      }
      await balancer.said({ event: 'session.failover', from: 'b0', to: 'b1', reason: 'silent' });
    });
  },

  ftpLoginTimeout: () => {
    test('is how long a client may take to log in', async () => {
      const balancer = await startFtpBalancer([await startFtpServer()], '--ftp-login-timeout=500ms');
      const client = await connectTo(balancer.listener);
      await client.line();
      expect(await client.line()).toBe('421 Login timed out, closing control connection.');
      await balancer.said({ event: 'ftp.session.end', end: 'login-timeout' });
    });
  },

  ftpIdleTimeout: () => {
    test('is how long a client that has logged in may be silent', async () => {
      const balancer = await startFtpBalancer([await startFtpServer()], '--ftp-idle-timeout=1s');
      const client = await connectTo(balancer.listener);
      client.send('USER joe\r\nPASS secret');
      for (let at = 0; at < 3; at += 1) await client.line();
      expect(await client.line()).toBe('421 No command for too long, closing control connection.');
      await balancer.said({ event: 'ftp.session.end', end: 'idle-timeout', isLoggedIn: true });
    });
  },

  ftpAcceptTimeout: () => {
    test('is how long a passive client may take to connect', async () => {
      const server = await startFtpServer({ handlers: { RETR: standStill } });
      const balancer = await startFtpBalancer([server], '--ftp-accept-timeout=500ms');
      const client = await loginTo(balancer.listener);
      client.send('EPSV\r\nRETR file');
      await balancer.said({ event: 'ftp.transfer', result: 'no-client-data' });
    });
  },

  ftpDataTimeout: () => {
    test('is how long a server may take to open its data connection', async () => {
      const server = await startFtpServer({ handlers: { RETR: (session) => session.say('150 soon') } });
      const flags = ['--backend-data=active', '--ftp-data-timeout=1s'];
      const balancer = await startFtpBalancer([server], ...flags);
      const client = await loginTo(balancer.listener);
      const { ear } = await client.connect(await client.epsv());
      client.send('RETR file');
      await client.until('the end of data', () => ear.events.length > 0);
      server.server.last.say('425 nobody there');
      await balancer.said({ event: 'ftp.transfer', result: 'no-backend-data' });
    });
  },

  ftpStallTimeout: () => {
    test('is how long a transfer may stand still', async () => {
      const server = await startFtpServer({ handlers: { RETR: standStill } });
      const balancer = await startFtpBalancer([server], '--ftp-stall-timeout=500ms');
      const client = await loginTo(balancer.listener);
      await client.connect(await client.epsv());
      client.send('RETR file');
      await balancer.said({ event: 'ftp.transfer', result: 'stalled', bytes: content.length });
    });
  },

  ftpReplyTimeout: () => {
    test('is how long a server may take to answer', async () => {
      const server = await startFtpServer({ handlers: { NOOP: () => undefined } });
      const balancer = await startFtpBalancer([server], '--ftp-reply-timeout=1s');
      const client = await loginTo(balancer.listener);
      expect(await client.ask('NOOP')).toMatch(/^421 /);
      await balancer.said({ event: 'ftp.session.end', end: 'reply-timeout' });
    });
  },
};
