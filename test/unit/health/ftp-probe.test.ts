import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { FtpProbe, type FtpLogin } from '../../../src/health/ftp-probe.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';

const login: FtpLogin = { user: 'probe', password: 'secret' };
const servers: Server[] = [];
const sockets = new Set<Socket>();

afterEach(() => {
  for (const socket of sockets) socket.destroy();
  for (const server of servers.splice(0)) server.close();
});

async function serve(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A server that answers each verb from a table; EPSV gets a real data port that is sent a line and a FIN. */
async function scripted(replies: Record<string, string>, greeting = '220 ready\r\n'): Promise<number> {
  const dataPort = await serve((socket) => socket.end('a file\r\n'));
  return serve((socket) => {
    socket.write(greeting);
    socket.on('data', (bytes) => {
      for (const line of bytes.toString().split('\r\n').filter(Boolean)) {
        const reply = replies[line.split(' ')[0] ?? ''];
        if (reply !== undefined) socket.write(`${reply.replace('PORT', String(dataPort))}\r\n`);
      }
    });
    socket.on('end', () => socket.end());
  });
}

const healthy = {
  USER: '331 password',
  PASS: '230 in',
  EPSV: '229 Entering Extended Passive Mode (|||PORT|)',
  LIST: '150 here it comes\r\n226 done',
};

async function check(port: number, as?: FtpLogin, timeout = 5_000): Promise<string> {
  const probe = new FtpProbe(createNodeNet(), { timeout, login: as });
  return probe.check({ address: '127.0.0.1', port }, new AbortController().signal);
}

describe('FtpProbe', () => {
  it.each([
    ['220', '220 hello\r\n', 'alive'],
    ['120 and 220', '120 wait\r\n220-hello\r\nmore\r\n220 now\r\n', 'alive'],
    ['230', '230 you are in\r\n', 'alive'],
    ['421', '421 too many\r\n', 'refused'],
    ['SSH', 'SSH-2.0-OpenSSH_9.2\r\n', 'malformed'],
    ['a code that is none', '299 hm\r\n', 'malformed'],
  ])('a greeting of %s', async (_, greeting, outcome) => {
    expect(await check(await scripted({}, greeting))).toBe(outcome);
  });

  it('a server that says nothing', async () => {
    expect(await check(await scripted({}, ''), undefined, 100)).toBe('timeout');
  });

  it('a server that hangs up', async () => {
    expect(await check(await serve((socket) => socket.end()))).toBe('refused');
  });

  it('nobody who listens', async () => {
    const port = await serve(() => {});
    servers.pop()?.close();
    expect(await check(port)).toBe('refused');
  });

  it.each([
    ['a whole listing', {}, 'alive'],
    ['no password asked for', { USER: '230 in' }, 'alive'],
    ['PASV where EPSV is unknown', { EPSV: '500 what', PASV: '227 ok' }, 'no-data'],
    ['a login that is refused', { PASS: '530 no' }, 'login-refused'],
    ['a listing that is refused', { LIST: '425 no connection' }, 'no-data'],
    ['a data port where nobody listens', { EPSV: '229 (|||1|)' }, 'no-data'],
    ['a listing that fails', { LIST: '150 here\r\n426 broken' }, 'no-data'],
  ])('with a user: %s', async (_, replies, outcome) => {
    expect(await check(await scripted({ ...healthy, ...replies }), login)).toBe(outcome);
  });

  it('says good-bye to a server that is well, and ends the connection properly', async () => {
    const seen: string[] = [];
    const port = await serve((socket) => {
      socket.write('220 hello\r\n');
      socket.on('data', (bytes) => seen.push(bytes.toString()));
      socket.on('error', (error) => seen.push(error.message));
      socket.on('end', () => {
        seen.push('FIN');
        socket.end();
      });
    });
    expect(await check(port)).toBe('alive');
    await expect.poll(() => seen).toEqual(['QUIT\r\n', 'FIN']);
  });

  it('hangs up on a server that talks on and on while nobody asks', async () => {
    const dataPort = await serve(() => {});
    const errors: NodeJS.ErrnoException[] = [];
    const port = await serve((socket) => {
      socket.on('error', (error) => errors.push(error));
      socket.write(`220 hello\r\n230 in\r\n229 (|||${dataPort}|)\r\n226 done\r\n`);
      socket.once('data', () => socket.write('200 more\r\n'.repeat(5_000_000)));
    });
    const controller = new AbortController();
    const probe = new FtpProbe(createNodeNet(), { timeout: 60_000, login });
    const running = probe.check({ address: '127.0.0.1', port }, controller.signal);
    await expect.poll(() => errors, { timeout: 4_000 }).toMatchObject([{ syscall: expect.any(String) }]);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });

  it('a check that is aborted rejects with the reason', async () => {
    const port = await scripted({}, '');
    const controller = new AbortController();
    const probe = new FtpProbe(createNodeNet(), { timeout: 5_000, login: undefined });
    const running = probe.check({ address: '127.0.0.1', port }, controller.signal);
    controller.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
  });
});
