/** The FTP engine on real sockets: what the kernel does to FINs, resets and descriptors. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import { createPassivePool } from '../../../src/engine/passive-pool.ts';
import { FtpEngine } from '../../../src/engine/ftp-engine.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { dropReasons, type Event } from '../../../src/observe/events.ts';
import { FtpClient, type Heard, type Until } from '../../helpers/ftp-client.ts';
import { ftpService } from '../../helpers/ftp-lab.ts';
import { FtpServer } from '../../helpers/ftp-server.ts';
import { download, isContent, upload, content } from '../../helpers/ftp-transfers.ts';

const net = createNodeNet();
const local = { address: '127.0.0.1', port: 0 };
const big = new Uint8Array(13_000_000).map((_, at) => (at * 31 + (at >> 9)) % 251);

const until: Until = async (what, condition) => {
  for (const end = performance.now() + 20_000; performance.now() < end; await sleep(1)) {
    const result = condition();
    if (result !== undefined && result !== false) return result;
  }
  throw new Error(`${what}: this never happened`);
};

/** An engine in front of one server, both on loopback. */
class Site {
  readonly server = new FtpServer(net, 'real');
  readonly events: Event[] = [];
  readonly clients: FtpClient[] = [];
  engine: FtpEngine | undefined;

  async start(): Promise<this> {
    this.server.files.set('file', content).set('big', big);
    const { address, port } = await this.server.listen(local);
    const pool = { backends: [{ index: 0, name: 'b0', address, port, weight: 1 }] };
    const data = { ...ftpService.data, passivePorts: undefined };
    const passivePool = createPassivePool(undefined, 1);
    this.engine = new FtpEngine({
      snapshot: { version: 1, services: [{ ...ftpService, data, listeners: [local], pool, passivePool }] },
      scoreboard: Scoreboard.create({ services: 1, backends: 1, workers: 1, reasons: dropReasons.length }),
      worker: 0,
      net,
      emit: (event) => this.events.push(event),
    });
    await this.engine.start();
    return this;
  }

  async loggedIn(): Promise<FtpClient> {
    const [listening] = this.engine?.listening() ?? [];
    if (!listening) throw new Error('nobody listens');
    const client = new FtpClient(net, await net.connectTcp(listening.endpoint, { timeout: 5_000 }), until);
    this.clients.push(client);
    return client.login();
  }

  results(): unknown[] {
    return this.events.flatMap((event) => (event.kind === 'ftp.transfer' ? [event.result] : []));
  }

  async stop(): Promise<void> {
    this.server.close();
    const stopped = this.engine?.stop();
    for (const client of this.clients) client.control.end();
    await stopped;
  }
}

let site: Site;

/** Not one socket is left, of the engine or of the test. */
afterEach(async () => {
  await site.stop();
  await until('all sockets to be closed', () => openSockets().length === 0);
});

function openSockets(): string[] {
  return process.getActiveResourcesInfo().filter((kind) => /TCP/i.test(kind));
}

function digest(chunks: readonly Uint8Array[]): string {
  const hash = createHash('sha256');
  for (const chunk of chunks) hash.update(chunk);
  return hash.digest('hex');
}

describe('on real sockets', () => {
  it.each(['EPSV', 'PASV', 'PORT', 'EPRT'] as const)('files go both ways, with %s', async (way) => {
    site = await new Site().start();
    const client = await site.loggedIn();
    await download(client, way);
    await upload(client, way, site.server);
    expect(isContent(site.server.files.get('copy'))).toBe(true);
    expect(site.results()).toEqual(['ok', 'ok']);
    expect(await client.ask('QUIT')).toBe('221 bye');
  });

  it('a large file goes through whole', async () => {
    site = await new Site().start();
    const client = await site.loggedIn();
    const down = await client.connect(await client.epsv());
    client.send('RETR big');
    await until('the end of data', () => down.ear.events.includes('end'));
    down.socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 here it comes', '226 done']);
    expect(digest(down.ear.chunks)).toBe(digest([big]));
    const up = await client.connect(await client.epsv());
    client.send('STOR copy');
    up.socket.write(big);
    up.socket.end();
    expect([await client.line(), await client.line()]).toEqual(['150 go on', '226 done']);
    expect(digest([site.server.files.get('copy') ?? new Uint8Array(0)])).toBe(digest([big]));
  });

  it.each([false, true])(
    'an upload that its client resets is never a success (backpressure: %s)',
    async (isSlow) => {
      site = await new Site().start();
      const { server } = site;
      const offsets = [0, 1, 65_536, 131_072, 1_000_000, 4_321_987, 12_999_999, 13_000_000];
      if (isSlow) server.handlers['STOR'] = storeSlowly;
      for (const offset of offsets) {
        const client = await site.loggedIn();
        const data = await client.connect(await client.epsv());
        expect(await client.ask('STOR copy')).toBe('150 go on');
        data.socket.write(big.subarray(0, offset));
        if (!isSlow) await until('the bytes to leave', () => data.socket.pending === 0);
        data.socket.reset();
        expect(await client.line()).toMatch(/^426 /);
        expect(server.files.has('copy')).toBe(false);
      }
      expect(site.results()).toEqual(offsets.map(() => 'client-reset'));
    },
  );

  it('a download whose backend dies is never a success', async () => {
    site = await new Site().start();
    for (const sent of [0, 1, 65_536, 5_000_000]) {
      site.server.handlers['RETR'] = async (session) => {
        session.say('150 here it comes');
        const socket = await session.data();
        socket.write(big.subarray(0, sent));
        await until('the bytes to leave', () => socket.pending === 0);
        socket.reset();
        session.control.reset();
      };
      const client = await site.loggedIn();
      const data = await client.connect(await client.epsv());
      client.send('RETR big');
      await until('the end', () => data.ear.isClosed && client.ear.events.includes('end'));
      expect(data.ear.events).toEqual(['close reset']);
      expect(client.ear.data).toMatch(/\r\n426 [^\r]*\r\n421 [^\r]*\r\n$/);
    }
  });

  it('a client that takes nothing of a download and resets is told as one', async () => {
    site = await new Site().start();
    const client = await site.loggedIn();
    const data = await client.connect(await client.epsv());
    data.socket.pause();
    client.send('RETR big');
    expect(await client.line()).toBe('150 here it comes');
    data.socket.reset();
    expect(await client.line()).toMatch(/^426 /);
    expect(site.results()).toEqual(['client-reset']);
  });

  it('stopping in the midst of transfers leaves nothing open', async () => {
    site = await new Site().start();
    const clients = [await site.loggedIn(), await site.loggedIn(), await site.loggedIn()];
    const datas: Heard[] = [];
    for (const client of clients) {
      const data = await client.connect(await client.epsv());
      datas.push(data);
      data.socket.pause();
      expect(await client.ask('RETR big')).toBe('150 here it comes');
    }
    await site.stop();
    await until('421', () => clients.every(({ ear }) => /\r\n426 [^\r]*\r\n421 /.test(ear.data)));
    expect(site.results()).toEqual(['shutdown', 'shutdown', 'shutdown']);
    for (const { socket } of datas) socket.resume();
    await until('resets', () => datas.every(({ ear }) => ear.isClosed));
    expect(datas.map(({ ear }) => ear.events)).toEqual(datas.map(() => ['close reset']));
  });
});

/** Reads nothing of what is stored until it is clear that no more comes. */
async function storeSlowly(session: FtpServer['last']): Promise<void> {
  session.say('150 go on');
  const socket = await session.data();
  const events: string[] = [];
  socket.handle({
    onData: () => {
      socket.pause();
      setTimeout(() => socket.resume(), 5);
    },
    onEnd: () => {
      events.push('end');
      session.server.files.set('copy', new Uint8Array(0));
      socket.end();
      session.say('226 done');
    },
    onDrain: () => undefined,
    onClose: () => {
      if (events.length === 0) session.say('426 broken');
    },
  });
}
