import { describe, expect, it } from 'vitest';
import type { FtpClient, Heard } from '../../helpers/ftp-client.ts';
import { type FtpLab, type FtpLabOptions, ftpService, useFtpLab } from '../../helpers/ftp-lab.ts';
import type { FtpServer } from '../../helpers/ftp-server.ts';
import { content, download, isContent, upload } from '../../helpers/ftp-transfers.ts';

const start = useFtpLab();
let lab: FtpLab;
let server: FtpServer;

async function begin(options: FtpLabOptions = {}): Promise<void> {
  ({ lab, server } = await start({ backends: 1, ...options }));
  server.files.set('file', content);
}

describe.each(['passive', 'active', 'client'] as const)('with backends %s', (backendData) => {
  it.each(['EPSV', 'PASV', 'PORT', 'EPRT'] as const)(
    'a client with %s downloads and uploads',
    async (way) => {
      await begin({ data: { backendData } });
      const client = await lab.loggedIn();
      await download(client, way);
      await upload(client, way, server);
      await download(client, way);
      const isActive = way === 'PORT' || way === 'EPRT';
      const clientMode = isActive ? 'active' : 'passive';
      const backendMode = backendData === 'client' ? clientMode : backendData;
      const bytes = content.length;
      const common = { user: 'joe', backend: 'b0', clientMode, backendMode, bytes, result: 'ok', code: 226 };
      expect(lab.of('ftp.transfer')).toMatchObject([
        { ...common, command: 'RETR', path: 'file', direction: 'download' },
        { ...common, command: 'STOR', path: 'copy', direction: 'upload' },
        { ...common, command: 'RETR', path: 'file', direction: 'download' },
      ]);
      expect(lab.scoreboard.counter('bytesToClient', 0)).toBe(2 * bytes);
      expect(lab.scoreboard.counter('bytesToBackend', 0)).toBe(bytes);
      await client.ask('QUIT');
      await lab.pass(15_000);
      // The listener on port 21, and the client's end that nobody has closed yet.
      expect(lab.balancer.openSockets).toBe(1);
    },
  );

  it.each(['client', 'backend', 'both'] as const)('data goes between families: IPv6 on %s', async (ipv6) => {
    await begin({ ipv6, data: { backendData } });
    const client = await lab.loggedIn();
    await download(client, 'EPSV');
    await upload(client, 'EPRT', server);
  });
});

describe('a transfer that breaks', () => {
  it('because the client resets its data is no success for anyone', async () => {
    await begin({ link: { minDelay: 1, maxDelay: 5 } });
    const client = await lab.loggedIn();
    const data = await client.connect(await client.epsv());
    client.send('STOR copy');
    data.socket.write(content);
    await lab.pass(10);
    data.socket.reset();
    expect([await client.line(), await client.line()]).toEqual(['150 go on', expect.stringMatching(/^426 /)]);
    expect(server.files.has('copy')).toBe(false);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'client-reset', code: 426 }]);
  });

  it('because the backend dies resets the client’s data, and then the session is over', async () => {
    await begin();
    server.handlers['RETR'] = async (session) => {
      session.say('150 here it comes');
      const socket = await session.data();
      socket.write(content);
    };
    const client = await lab.loggedIn();
    const data = await client.connect(await client.epsv());
    client.send('RETR file');
    await lab.until('some data', () => data.ear.length > 0);
    lab.backendHost(0).kill();
    await lab.until('the end', () => data.ear.isClosed && client.ear.events.includes('end'));
    expect(data.ear.events).toEqual(['close reset']);
    expect(client.ear.data).toMatch(/\r\n426 [^\r]*\r\n421 [^\r]*\r\n$/);
  });

  it('because no byte moves for too long is reset on both sides', async () => {
    await begin({ service: { timing: { ...ftpService.timing, stall: 5_000 } } });
    const client = await lab.loggedIn();
    const data = await client.connect(await client.epsv());
    client.send('STOR copy');
    await lab.pass(6_000);
    expect(data.ear.events).toEqual(['close reset']);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'stalled', code: 426 }]);
  });

  it('because the session ends leaves nothing open', async () => {
    await begin();
    const client = await lab.loggedIn();
    const data = await client.connect(await client.epsv());
    client.send('STOR copy');
    data.socket.write(content);
    await lab.pass(10);
    client.control.reset();
    await lab.until('the end', () => data.ear.isClosed);
    expect(data.ear.events.at(-1)).toBe('close reset');
    await lab.pass(100);
    expect(lab.balancer.openSockets).toBe(1);
    expect(server.files.has('copy')).toBe(false);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'client-lost' }]);
  });

  it('because the engine stops is told so', async () => {
    await begin();
    const client = await lab.loggedIn();
    const data = await client.connect(await client.epsv());
    client.send('STOR copy');
    data.socket.write(content);
    await lab.pass(10);
    await lab.net.play(lab.engine.stop());
    await lab.pass(10);
    expect(client.ear.data).toMatch(/\r\n426 [^\r]*\r\n421 [^\r]*\r\n$/);
    expect([data.ear.events.at(-1), server.files.has('copy')]).toEqual(['close reset', false]);
  });
});

describe('a client’s early data', () => {
  it('and its early end are kept for the transfer', async () => {
    await begin();
    const client = await lab.loggedIn();
    const data = await client.connect(await client.epsv());
    data.socket.write(content);
    data.socket.end();
    await lab.pass(1_000);
    expect(await client.ask('STOR copy')).toBe('150 go on');
    expect(await client.line()).toBe('226 done');
    expect(isContent(server.files.get('copy'))).toBe(true);
  });

  it('and its early reset are no transfer', async () => {
    await begin();
    const client = await lab.loggedIn();
    const quiet = await client.connect(await client.epsv());
    await lab.pass(10);
    quiet.socket.reset();
    await lab.pass(10);
    expect(lab.of('ftp.data-refused')).toMatchObject([{ leg: 'client', reason: 'closed' }]);
    expect(await client.ask('STOR copy')).toMatch(/^425 /);
    const loud = await client.connect(await client.epsv());
    loud.socket.write(content);
    await lab.pass(10);
    loud.socket.reset();
    await lab.pass(10);
    client.send('STOR copy');
    await lab.until('426', () => /\r\n42[56] [^\r]*\r\n$/.test(client.ear.data));
    expect(server.files.has('copy')).toBe(false);
  });
});

describe('sessions side by side', () => {
  it('never get each other’s data, and leave nothing behind', async () => {
    await begin({ link: { minDelay: 0, maxDelay: 10 }, backends: 1 });
    for (let n = 0; n < 20; n++) server.files.set(`file${n}`, variant(n));
    const host = lab.clientHost();
    const clients: FtpClient[] = [];
    for (let n = 0; n < 20; n++) clients.push(await lab.loggedIn(host));
    const datas: Heard[] = [];
    for (const client of clients) datas.push(await client.connect(await client.epsv()));
    for (const [n, client] of clients.entries()) client.send(`RETR file${n}`);
    await lab.until('all data', () => datas.every(({ ear }) => ear.events.includes('end')));
    for (const [n, { ear, socket }] of datas.entries()) {
      expect(Buffer.concat(ear.chunks).equals(variant(n))).toBe(true);
      socket.end();
    }
    for (const client of clients) client.control.end();
    await lab.pass(1_000);
    expect(lab.balancer.openSockets).toBe(1);
  });
});

function variant(n: number): Uint8Array {
  return content.map((byte) => byte ^ n);
}
