/** What FTP options do to sessions: servers by script, clients led by hand. */
import { randomInt } from 'node:crypto';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import type { FtpClient } from '../helpers/ftp-client.ts';
import { formatPort } from '../../src/ftp/endpoints.ts';
import { temporaryFolder } from '../helpers/folders.ts';
import { content, download, upload, type Way } from '../helpers/ftp-transfers.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { runTftpLb } from './cli.ts';
import { describeFlags } from './flags.ts';
import { sizeTests } from './flags-ftp-sizes.ts';
import { timeTests } from './flags-ftp-times.ts';
import { userTests } from './flags-ftp-users.ts';
import { connectTo, loginTo, net, standStill, startFtpBalancer, startFtpServer, verbsOf } from './ftp.ts';

afterAll(stopAll);

/** The greeting that a new session gets; the session stays. */
async function greetingOf(listener: { address: string; port: number }): Promise<[string, FtpClient]> {
  const client = await connectTo(listener);
  return [await client.line(), client];
}

describeFlags('FTP', {
  ...sizeTests,
  ...timeTests,
  ...userTests,

  ftpPolicy: () => {
    test.each([
      ['round-robin', 0],
      ['least-sessions', 1],
      ['two-choices', 1],
    ])('%s gives the third session to the server of session %i', async (policy, expected) => {
      const servers = [await startFtpServer({ name: 'a' }), await startFtpServer({ name: 'b' })];
      const balancer = await startFtpBalancer(servers, `--ftp-policy=${policy}`);
      const [first] = await greetingOf(balancer.listener);
      const [second, client] = await greetingOf(balancer.listener);
      expect(second).not.toBe(first);
      await client.ask('QUIT');
      await balancer.said({ event: 'ftp.session.end', end: 'quit' });
      const [third] = await greetingOf(balancer.listener);
      expect(third).toBe([first, second][expected]);
    });

    test('first gives every session to the server that is named first', async () => {
      const servers = [await startFtpServer({ name: 'a' }), await startFtpServer({ name: 'b' })];
      const { listener } = await startFtpBalancer(servers, '--ftp-policy=first');
      const greetings = [await greetingOf(listener), await greetingOf(listener)].map(([line]) => line);
      expect(greetings).toEqual(['220 a ready', '220 a ready']);
    });

    test('source-hash gives every session of an address to the same server', async () => {
      const servers = [await startFtpServer({ name: 'a' }), await startFtpServer({ name: 'b' })];
      const { listener } = await startFtpBalancer(servers, '--ftp-policy=source-hash');
      const greetings: string[] = [];
      for (const from of ['127.0.0.1', '127.0.0.2', '127.0.0.3', '127.0.0.4']) {
        const pair = [await connectTo(listener, from), await connectTo(listener, from)];
        const [one = '', other] = await Promise.all(pair.map((client) => client.line()));
        expect(other).toBe(one);
        greetings.push(one);
      }
      expect(new Set(greetings).size).toBe(2);
    });

    test('user-hash gives every session of a user to the same server', async () => {
      const servers = [await startFtpServer(), await startFtpServer()];
      const { listener } = await startFtpBalancer(servers, '--ftp-policy=user-hash');
      const users = ['ann', 'bob', 'joe', 'eve', 'ian', 'kim', 'lee', 'sue'];
      for (const user of [...users, ...users]) {
        const client = await connectTo(listener);
        expect(await client.line()).toBe('220 Service ready for new user.');
        expect(await client.ask(`USER ${user}`)).toBe('331 password?');
      }
      const heard = servers.map(({ server }) => server.sessions.flatMap(({ heard }) => heard).toSorted());
      for (const own of heard) {
        const once = [...new Set(own)];
        expect(own).toEqual(once.flatMap((line) => [line, line]));
        expect(once.length).toBeGreaterThan(0);
      }
    });
  },

  ftpModes: () => {
    test('passive refuses active clients, and serves passive ones', async () => {
      const server = await startFtpServer();
      const { listener } = await startFtpBalancer([server], '--ftp-modes=passive');
      const client = await loginTo(listener);
      expect(await client.ask('PORT 127,0,0,1,200,1')).toMatch(/^502 /);
      expect(await client.ask('EPRT |1|127.0.0.1|51201|')).toMatch(/^502 /);
      await download(client, 'PASV');
    });

    test('is active,passive by default', async () => {
      const server = await startFtpServer();
      const client = await loginTo((await startFtpBalancer([server])).listener);
      await download(client, 'PORT');
      await download(client, 'PASV');
    });
  },

  backendData: () => {
    test.each<[string, Way, string]>([
      ['passive', 'PASV', 'EPSV'],
      ['passive', 'PORT', 'EPSV'],
      ['active', 'PASV', 'PORT'],
      ['active', 'PORT', 'PORT'],
      ['client', 'PASV', 'EPSV'],
      ['client', 'PORT', 'PORT'],
    ])('%s: behind the %s of a client the server hears %s', async (mode, way, heard) => {
      const server = await startFtpServer();
      const { listener } = await startFtpBalancer([server], `--backend-data=${mode}`);
      await download(await loginTo(listener), way);
      expect(verbsOf(server)).toEqual([heard, 'RETR']);
    });
  },

  passivePorts: () => {
    test('confines the ports that passive clients connect to', async () => {
      const first = randomInt(20_000, 30_000);
      const flag = `--passive-ports=${first}-${first + 30}`;
      const { listener } = await startFtpBalancer([await startFtpServer()], flag);
      const client = await loginTo(listener);
      for (const ask of [client.epsv(), client.pasv()]) {
        const { port } = await ask;
        expect(port).toBeGreaterThanOrEqual(first);
        expect(port).toBeLessThanOrEqual(first + 30);
      }
      await download(client, 'EPSV');
    });
  },

  passiveAddress: () => {
    test.each([
      ['auto', '127.0.0.1', '127.0.0.1'],
      ['192.0.2.9', '127.0.0.1', '192.0.2.9'],
      ['127.0.0.2/32=192.0.2.7,192.0.2.9', '127.0.0.2', '192.0.2.7'],
      ['127.0.0.2/32=192.0.2.7,192.0.2.9', '127.0.0.1', '192.0.2.9'],
      ['127.0.0.2/32=192.0.2.7', '127.0.0.1', '127.0.0.1'],
    ])('%s: PASV tells %s the address %s', async (setting, from, told) => {
      const { listener } = await startFtpBalancer([await startFtpServer()], `--passive-address=${setting}`);
      expect((await (await loginTo(listener, from)).pasv()).address).toBe(told);
    });
  },

  portAddress: () => {
    test('client takes the address of PORT, which must be that of control', async () => {
      const { listener } = await startFtpBalancer([await startFtpServer()]);
      const client = await loginTo(listener);
      expect(await client.ask(`PORT ${formatPort('192.0.2.1', 50_000)}`)).toMatch(/^501 /);
      await download(client, 'PORT');
    });

    test('control takes that of the control connection, whatever PORT says', async () => {
      const { listener } = await startFtpBalancer([await startFtpServer()], '--port-address=control');
      const client = await loginTo(listener);
      const { at, accepted } = await client.listen();
      expect(await client.ask(`PORT ${formatPort('192.0.2.1', at.port)}`)).toMatch(/^200 /);
      client.send('RETR file');
      const { ear } = await accepted();
      await client.until('the end of data', () => ear.events.includes('end'));
      expect(Buffer.concat(ear.chunks).equals(content)).toBe(true);
    });
  },

  backendPasvAddress: () => {
    test.each(['ignore', 'trust'])('%s: which data address is connected to', async (how) => {
      const foreign = ownLoopback();
      const connected: string[] = [];
      const listen = async (address: string, port: number): Promise<number> => {
        const listener = await net.listenTcp(
          { address, port },
          {
            onConnection: (socket) => {
              connected.push(socket.local.address);
              onTestFinished(() => socket.reset());
            },
            onError: () => undefined,
          },
        );
        onTestFinished(() => listener.close());
        return listener.port;
      };
      const server = await startFtpServer({
        handlers: { EPSV: (session) => session.say('500 what?'), RETR: () => undefined },
      });
      const port = await listen(server.address, 0);
      await listen(foreign, port);
      server.server.handlers['PASV'] = (session) => session.say(`227 at (${formatPort(foreign, port)})`);
      const { listener } = await startFtpBalancer([server], `--backend-pasv-address=${how}`);
      const client = await loginTo(listener);
      await client.epsv();
      client.send('RETR file');
      await until('the server is connected to', () => connected[0]);
      expect(connected).toEqual([how === 'trust' ? foreign : server.address]);
    });
  },

  ftpDeny: () => {
    test('refuses these commands, and no server hears of them', async () => {
      const server = await startFtpServer();
      const { listener } = await startFtpBalancer([server], '--ftp-deny=site,NOOP');
      const client = await loginTo(listener);
      expect(await client.ask('SITE CHMOD 777 x')).toMatch(/^550 /);
      expect(await client.ask('NOOP')).toMatch(/^550 /);
      expect(await client.ask('TYPE I')).toMatch(/^200 /);
      expect(verbsOf(server)).toEqual(['TYPE']);
    });
  },

  ftpMaxWaiting: () => {
    test.each([
      [1, 'stalled'],
      [2, 'client-abort'],
    ])('%i: an ABOR behind another command is read too late, or in time: %s', async (max, result) => {
      const server = await startFtpServer({ handlers: { RETR: standStill } });
      const flags = [`--ftp-max-waiting=${max}`, '--ftp-stall-timeout=1s'];
      const balancer = await startFtpBalancer([server], ...flags);
      const client = await loginTo(balancer.listener);
      const { ear } = await client.connect(await client.epsv());
      client.send('RETR file');
      await client.until('what there is', () => ear.length === content.length);
      client.send('NOOP\r\nABOR');
      expect(await balancer.said({ event: 'ftp.transfer' })).toMatchObject({ result });
    });
  },

  xferlog: () => {
    test('has a line for each file, and is begun anew on SIGUSR1', async () => {
      const file = path.join(temporaryFolder('xferlog'), 'xferlog');
      const server = await startFtpServer();
      const balancer = await startFtpBalancer([server], `--xferlog=${file}`);
      const client = await loginTo(balancer.listener);
      await download(client, 'EPSV');
      await client.ask('TYPE I');
      await upload(client, 'PASV', server.server);
      const lines = await until('both are logged', () => linesOf(file, 2));
      const date = String.raw`\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}`;
      expect(lines).toEqual([
        expect.stringMatching(
          new RegExp(`^${date} \\d+ 127\\.0\\.0\\.1 ${content.length} file a _ o r joe ftp 0 \\* c$`),
        ),
        expect.stringMatching(
          new RegExp(`^${date} \\d+ 127\\.0\\.0\\.1 ${content.length} copy b _ i r joe ftp 0 \\* c$`),
        ),
      ]);

      renameSync(file, `${file}.1`);
      balancer.program.signal('SIGUSR1');
      await until('there is a new log', () => existsSync(file) || undefined);
      await download(client, 'EPSV');
      await until('it is used', () => linesOf(file, 1));
      expect(linesOf(`${file}.1`, 2)).toEqual(lines);
    });

    test('has no line for what the server has refused, and one for what broke off', async () => {
      const file = path.join(temporaryFolder('xferlog'), 'xferlog');
      const server = await startFtpServer();
      const balancer = await startFtpBalancer([server], `--xferlog=${file}`);
      const client = await loginTo(balancer.listener);
      const { handlers } = server.server;
      await client.epsv();
      expect(await client.ask('RETR absent')).toBe('550 no such file');
      handlers['STOR'] = (session) => session.say('550 no');
      await client.epsv();
      expect(await client.ask('STOR forbidden')).toBe('550 no');
      handlers['STOR'] = (session) => session.say('150 go on\r\n452 full');
      await client.epsv();
      expect([await client.ask('STOR begun'), await client.line()]).toEqual(['150 go on', '452 full']);
      const lines = await until('the last one is logged', () => linesOf(file, 1));
      expect(lines).toEqual([expect.stringMatching(/ 0 begun a _ i r joe ftp 0 \* i$/)]);
    });

    test('that cannot be written keeps the balancer from starting', async () => {
      const file = path.join(temporaryFolder('xferlog'), 'missing', 'xferlog');
      const args = ['--vip=127.0.0.1', '--no-tftp', '--backend=192.0.2.11', `--xferlog=${file}`];
      const exit = await runTftpLb(args);
      expect(exit).toMatchObject({ code: 2, stderr: expect.stringContaining(file) as string });
      expect(exit.stderr).toMatch(/^tftp-lb: cannot write the xferlog: [^\n]*\n$/);
    });
  },
});

/** The lines of a log, once there are `count`. */
function linesOf(file: string, count: number): string[] | undefined {
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  return lines.length === count ? lines : undefined;
}
