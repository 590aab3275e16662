import { describe, expect, it } from 'vitest';
import { type FtpLab, type FtpLabOptions, ftpService, useFtpLab } from '../../helpers/ftp-lab.ts';
import type { FtpServer } from '../../helpers/ftp-server.ts';

const startLab = useFtpLab();
let lab: FtpLab;
let servers: readonly FtpServer[];

async function start(options: FtpLabOptions = {}): Promise<void> {
  ({ lab, servers } = await startLab(options));
}

describe('a session', () => {
  it('is given to a backend, and speaks with it', async () => {
    await start();
    const client = await lab.client();
    expect(await client.line()).toBe('220 b0 ready');
    expect(await client.ask('USER joe')).toBe('331 password?');
    expect(await client.ask('PASS secret')).toBe('230 welcome');
    expect(lab.active()).toEqual([1, 0]);
    expect(await client.ask('QUIT')).toBe('221 bye');
    await lab.until('the end', () => client.ear.events.includes('end'));
    client.control.end();
    await lab.pass(10);
    expect([client.ear.events, servers[0]?.last.events]).toEqual([
      ['end', 'close clean'],
      ['end', 'clean'],
    ]);
    expect(lab.of('ftp.session.end')).toMatchObject([
      {
        service: 'ftp',
        client: `10.2.0.1:${client.control.local.port}`,
        vip: '10.0.0.1:21',
        backend: 'b0',
        user: 'joe',
        isLoggedIn: true,
        tries: 1,
        commands: 3,
        transfers: 0,
        end: 'quit',
      },
    ]);
    expect(lab.active()).toEqual([0, 0]);
  });

  it('goes to the backends in turn', async () => {
    await start({ backends: 3 });
    const greetings = [];
    for (let n = 0; n < 6; n++) greetings.push(await (await lab.client()).line());
    expect(greetings.map((line) => line.slice(4, 6)).join(' ')).toBe('b0 b1 b2 b0 b1 b2');
    expect(lab.of('ftp.session.start')).toHaveLength(6);
  });

  it('goes to the backend with the fewest sessions for its weight, by policy', async () => {
    await start({ backends: 2, weights: [1, 3], service: { policy: 'least-sessions' } });
    for (let n = 0; n < 8; n++) await (await lab.client()).line();
    expect(lab.active()).toEqual([2, 6]);
  });

  it('goes to the backend of its address, by policy', async () => {
    await start({ backends: 4, service: { policy: 'source-hash' } });
    const greetings = [];
    for (let n = 0; n < 8; n++) {
      const host = lab.clientHost();
      const pair = [await lab.client(host), await lab.client(host)];
      greetings.push(await Promise.all(pair.map((client) => client.line())));
    }
    for (const [one, other] of greetings) expect(other).toBe(one);
    expect(new Set(greetings.flat()).size).toBeGreaterThan(1);
  });

  it('ends with its client', async () => {
    await start();
    const [one, other] = [await lab.loggedIn(), await lab.loggedIn()];
    one.control.end();
    other.control.reset();
    await lab.pass(100);
    expect(lab.of('ftp.session.end').map(({ end }) => end)).toEqual(['client-closed', 'client-reset']);
    expect(servers.map((server) => server.last.events.at(-1))).toEqual(['clean', 'clean']);
  });

  it('ends with its backend, with 421', async () => {
    await start();
    const [one, other] = [await lab.loggedIn(), await lab.loggedIn()];
    servers[0]?.last.control.end();
    servers[1]?.last.control.reset();
    expect((await one.line()).slice(0, 3)).toBe('421');
    expect((await other.line()).slice(0, 3)).toBe('421');
    expect(lab.of('ftp.session.end').map(({ end }) => end)).toEqual(['backend-closed', 'backend-reset']);
  });

  it('that waits too long is ended by the clock', async () => {
    await start();
    const client = await lab.client();
    await client.line();
    await lab.pass(ftpService.timing.login + 100);
    expect((await client.line()).slice(0, 3)).toBe('421');
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'login-timeout', isLoggedIn: false }]);
  });

  it('takes what a client says before the greeting', async () => {
    await start();
    const client = await lab.client();
    client.send('USER joe');
    client.send('PASS secret');
    expect([await client.line(), await client.line(), await client.line()]).toEqual([
      '220 b0 ready',
      '331 password?',
      '230 welcome',
    ]);
  });

  it('reports commands that are answered here', async () => {
    await start({ service: { commands: { ...ftpService.commands, readOnly: true, denied: ['SITE'] } } });
    const client = await lab.loggedIn();
    expect((await client.ask('DELE x')).slice(0, 3)).toBe('550');
    expect((await client.ask('SITE HELP')).slice(0, 3)).toBe('550');
    expect((await client.ask('AUTH TLS')).slice(0, 3)).toBe('502');
    expect(lab.of('ftp.refused').map(({ reason, command }) => [reason, command])).toEqual([
      ['read-only', 'DELE'],
      ['denied', 'SITE'],
      ['unsupported', 'AUTH'],
    ]);
  });
});

describe('a backend that cannot be had', () => {
  it.each([
    ['refuses the connection', (server: FtpServer) => server.close(), 'refused'],
    ['says nothing', (server: FtpServer) => (server.greeting = undefined), 'silent'],
    ['is no FTP server', (server: FtpServer) => (server.greeting = 'SSH-2.0-OpenSSH_9.2'), 'refused'],
    ['is full', (server: FtpServer) => (server.greeting = '421 too many'), 'refused'],
  ])('because it %s: the next one is asked, and it is suspect', async (_what, spoil, reason) => {
    await start();
    if (servers[0]) spoil(servers[0]);
    const client = await lab.client();
    expect(await client.line()).toBe('220 b1 ready');
    expect(lab.active()).toEqual([0, 1]);
    expect([lab.scoreboard.isEjected(0), lab.scoreboard.isEjected(1)]).toEqual([true, false]);
    expect(lab.of('backend.suspect')).toMatchObject([{ backend: 'b0', index: 0, reason }]);
    expect(lab.of('session.failover')).toMatchObject([{ from: 'b0', to: 'b1', reason }]);
    const next = await lab.client();
    expect(await next.line()).toBe('220 b1 ready');
  });

  it('because its host is silent: the next one is asked after the connect time-out', async () => {
    await start();
    lab.backendHost(0).state = 'silent';
    const before = lab.net.now();
    const client = await lab.client();
    expect(await client.line()).toBe('220 b1 ready');
    expect(lab.net.now() - before).toBeGreaterThanOrEqual(ftpService.timing.connect);
    expect(lab.of('backend.suspect')).toMatchObject([{ backend: 'b0', reason: 'silent' }]);
  });

  it('and no other is left: 421', async () => {
    await start();
    for (const server of servers) server.close();
    const client = await lab.client();
    expect((await client.line()).slice(0, 3)).toBe('421');
    await lab.until('the end', () => client.ear.events.includes('end'));
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'no-backend', tries: 2, backend: 'b1' }]);
  });

  it('because all are full: 421', async () => {
    await start({ service: { limits: { total: 0, perClient: 0, perBackend: 1 } } });
    for (let n = 0; n < 2; n++) await (await lab.client()).line();
    const third = await lab.client();
    expect((await third.line()).slice(0, 3)).toBe('421');
    expect(lab.of('backend.suspect')).toEqual([]);
  });

  it('for want of descriptors here: 421, and it is not the backend that is suspect', async () => {
    await start();
    lab.balancer.descriptorLimit = 2;
    const client = await lab.client();
    expect((await client.line()).slice(0, 3)).toBe('421');
    expect(lab.of('backend.suspect')).toEqual([]);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'no-resources', tries: 0 }]);
    lab.balancer.descriptorLimit = Infinity;
    await lab.pass(100);
    expect((await (await lab.client()).line()).slice(0, 3)).toBe('220');
  });

  it('is asked no more once its client has gone', async () => {
    await start();
    lab.backendHost(0).state = 'silent';
    const client = await lab.client();
    await lab.pass(10);
    client.control.reset();
    await lab.pass(10);
    expect([lab.balancer.openSockets, lab.active()]).toEqual([1, [0, 0]]);
    await lab.pass(10_000);
    expect(lab.of('backend.suspect')).toEqual([]);
  });
});

describe('limits', () => {
  it('of sessions in all: 421, and room again when one has ended', async () => {
    await start({ service: { limits: { total: 2, perClient: 0, perBackend: 0 } } });
    const [first] = [await lab.loggedIn(), await lab.loggedIn()];
    const third = await lab.client();
    expect(await third.line()).toBe('421 Too many connections, try again later.');
    await lab.until('the end', () => third.ear.events.includes('end'));
    expect(lab.of('session.reject')).toMatchObject([
      { reason: 'max-sessions', client: `10.2.0.3:${third.control.local.port}`, vip: '10.0.0.1:21' },
    ]);
    await first?.ask('QUIT');
    expect((await (await lab.client()).line()).slice(0, 3)).toBe('220');
    expect(lab.of('ftp.session.start')).toHaveLength(3);
  });

  it('bound what those who are refused can cost', async () => {
    await start({ service: { limits: { total: 1, perClient: 0, perBackend: 0 } } });
    await lab.loggedIn();
    const host = lab.clientHost();
    for (let n = 0; n < 1_100; n++) await lab.client(host);
    await lab.pass(100);
    // The listener, the session's two connections, and those that wait for their end.
    expect(lab.balancer.openSockets).toBe(3 + 1_024);
    await lab.pass(11_000);
    expect(lab.balancer.openSockets).toBe(3);
  });

  it('of sessions per client', async () => {
    await start({ service: { limits: { total: 0, perClient: 1, perBackend: 0 } } });
    const host = lab.clientHost();
    const first = await lab.loggedIn(host);
    expect((await (await lab.client(host)).line()).slice(0, 3)).toBe('421');
    expect((await (await lab.client()).line()).slice(0, 3)).toBe('220');
    await first.ask('QUIT');
    expect((await (await lab.client(host)).line()).slice(0, 3)).toBe('220');
    expect(lab.of('session.reject').map(({ reason }) => reason)).toEqual(['max-sessions-per-client']);
  });

  it('of descriptors: 421, and others are served afterwards', async () => {
    await start();
    lab.balancer.descriptorLimit = 1;
    const client = await lab.client();
    expect(await client.line()).toBe('421 Too many connections, try again later.');
    await lab.until('its end', () => client.ear.events.includes('end'));
    expect(lab.of('session.reject')).toMatchObject([
      { reason: 'no-resources', client: '', vip: '10.0.0.1:21' },
    ]);
    lab.balancer.descriptorLimit = Infinity;
    expect((await (await lab.client()).line()).slice(0, 3)).toBe('220');
  });
});

describe('a new snapshot', () => {
  it('leaves running sessions on their backend, and gives new ones to the new pool', async () => {
    await start();
    const client = await lab.loggedIn();
    const { services } = lab.snapshot();
    const pool = { backends: services[0]?.pool.backends.slice(1) ?? [] };
    void lab.engine.update(lab.snapshot({ pool, limits: { total: 3, perClient: 0, perBackend: 0 } }));
    expect(await client.ask('NOOP')).toBe('200 fine');
    expect([await (await lab.client()).line(), await (await lab.client()).line()]).toEqual([
      '220 b1 ready',
      '220 b1 ready',
    ]);
    expect((await (await lab.client()).line()).slice(0, 3)).toBe('421');
    expect(lab.active()).toEqual([1, 2]);
  });
});

describe('draining', () => {
  it('closes the listeners, ends idle sessions at once and busy ones after their reply', async () => {
    await start();
    const [idle, busy] = [await lab.loggedIn(), await lab.loggedIn()];
    const [, server] = servers;
    if (server) server.handlers['SLOW'] = () => undefined;
    busy.send('SLOW');
    await lab.pass(10);
    lab.engine.drain();
    expect(lab.engine.listening()).toEqual([]);
    expect((await idle.line()).slice(0, 3)).toBe('421');
    await expect(lab.client()).rejects.toMatchObject({ code: 'TLB_ERR_REFUSED' });
    await lab.pass(1_000);
    expect(lab.active()).toEqual([0, 1]);
    server?.last.say('200 done');
    expect([await busy.line(), (await busy.line()).slice(0, 3)]).toEqual(['200 done', '421']);
    expect(lab.active()).toEqual([0, 0]);
  });
});

describe('stopping', () => {
  it('tells every client 421 and waits until it has read it', async () => {
    await start();
    const clients = [await lab.loggedIn(), await lab.client()];
    const stopped = lab.engine.stop();
    for (const client of clients) {
      await lab.until('421', () => client.ear.data.includes('421 '));
      client.control.end();
    }
    await lab.net.play(stopped);
    await lab.pass(10);
    expect(clients.map(({ ear }) => ear.events)).toEqual([
      ['end', 'close clean'],
      ['end', 'close clean'],
    ]);
    expect(lab.balancer.openSockets).toBe(0);
  });

  it('does not wait long for those who do not go', async () => {
    await start();
    const client = await lab.loggedIn();
    const before = lab.net.now();
    await lab.net.play(lab.engine.stop());
    expect(lab.net.now() - before).toBeLessThan(1_100);
    expect(lab.balancer.openSockets).toBe(0);
    await lab.pass(10);
    expect([client.ear.data.includes('421 '), client.ear.events]).toEqual([true, ['end']]);
  });

  it('while backends are being asked leaves nothing behind', async () => {
    await start();
    for (const server of servers) server.greeting = undefined;
    const client = await lab.client();
    lab.backendHost(1).state = 'silent';
    await lab.client();
    await lab.pass(10);
    await lab.net.play(lab.engine.stop());
    expect((await client.line()).slice(0, 3)).toBe('421');
  });
});
