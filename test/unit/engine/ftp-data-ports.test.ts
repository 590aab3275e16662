import { describe, expect, it } from 'vitest';
import { createPassivePool } from '../../../src/engine/passive-pool.ts';
import { formatEprt, formatPort } from '../../../src/ftp/endpoints.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { type Net, NetError } from '../../../src/net/net.ts';
import { changedNet } from '../../helpers/changed-net.ts';
import { type FtpLab, type FtpLabOptions, ftpService, linkLocal, useFtpLab } from '../../helpers/ftp-lab.ts';
import type { FtpServer } from '../../helpers/ftp-server.ts';
import { content, download } from '../../helpers/ftp-transfers.ts';

const start = useFtpLab();
let lab: FtpLab;
let server: FtpServer;

async function begin(options: FtpLabOptions = {}): Promise<void> {
  ({ lab, server } = await start({ backends: 1, ...options }));
  server.files.set('file', content);
}

describe('a passive port', () => {
  it('is one of the range, on the address that the control connection reached', async () => {
    await begin({ service: { listeners: [{ address: '0.0.0.0', port: 21 }] } });
    const client = await (await lab.client(undefined, '10.0.0.2')).login();
    const at = await client.pasv();
    expect(at.address).toBe('10.0.0.2');
    expect(at.port).toBeGreaterThanOrEqual(40_000);
    expect(at.port).toBeLessThan(40_100);
    expect([lab.passivePool.used, lab.passivePool.size]).toEqual([1, 100]);
    await expect(client.connect({ address: '10.0.0.1', port: at.port })).rejects.toMatchObject({
      code: 'TLB_ERR_REFUSED',
    });
  });

  it('is told with the address that the client’s network was given', async () => {
    const advertised = [
      { network: { address: '10.2.0.1', prefix: 32 }, address: '203.0.113.1' },
      { network: undefined, address: '203.0.113.2' },
    ];
    await begin({ data: { advertised } });
    const [one, other] = [await lab.loggedIn(), await lab.loggedIn()];
    expect((await one.pasv()).address).toBe('203.0.113.1');
    const { address, port } = await other.pasv();
    expect(address).toBe('203.0.113.2');
    const data = await other.connect({ address: lab.vip, port });
    await lab.pass(10);
    expect(data.ear.events).toEqual([]);
  });

  it('takes the client alone: strangers are reset and counted, and the client still gets in', async () => {
    await begin();
    const client = await lab.loggedIn();
    const thief = await lab.client();
    const at = await client.epsv();
    for (let n = 0; n < 3; n++) {
      const stolen = await thief.connect(at);
      await lab.until('a reset', () => stolen.ear.isClosed);
      expect(stolen.ear.events).toEqual(['close reset']);
    }
    const data = await client.connect(at);
    client.send('RETR file');
    await lab.until('all data', () => data.ear.length === content.length);
    const refused = lab.of('ftp.data-refused');
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({ leg: 'client', reason: 'foreign-peer', vip: '10.0.0.1:21' });
    expect(refused[0]?.peer).toMatch(/^10\.2\.0\.2:\d+$/);
    await expect(client.connect(at)).rejects.toMatchObject({ code: 'TLB_ERR_REFUSED' });
  });

  it('is free again when the client has connected, asks for another one, or does not come', async () => {
    await begin({ data: { passivePorts: { first: 40_000, last: 40_000 } } });
    const client = await lab.loggedIn();
    for (let n = 0; n < 3; n++) {
      expect((await client.epsv()).port).toBe(40_000);
      expect([lab.passivePool.used, lab.passivePool.size]).toEqual([1, 1]);
    }
    const data = await client.connect(await client.epsv());
    await lab.pass(10);
    expect(lab.passivePool.used).toBe(0);
    await client.epsv();
    await lab.until('the old connection to be broken', () => data.ear.isClosed);
    expect(data.ear.events).toEqual(['close reset']);
    await lab.pass(ftpService.timing.dataAccept + 100);
    expect(lab.passivePool.used).toBe(0);
    expect(await client.ask('NOOP')).toBe('200 fine');
  });

  it('that is not to be had gives 425, and the session goes on', async () => {
    await begin({ data: { passivePorts: { first: 40_000, last: 40_001 } } });
    const clients = [await lab.loggedIn(), await lab.loggedIn(), await lab.loggedIn()] as const;
    await clients[0].epsv();
    await clients[1].epsv();
    expect(await clients[2].ask('EPSV')).toMatch(/^425 /);
    expect(lab.of('ftp.data-refused')).toMatchObject([{ leg: 'client', reason: 'no-ports' }]);
    expect(lab.of('ftp.refused')).toMatchObject([{ reason: 'no-listener', command: 'EPSV' }]);
    await clients[0].ask('QUIT');
    await download(clients[2], 'EPSV');
  });

  it('for want of descriptors gives 425 as well', async () => {
    await begin();
    const client = await lab.loggedIn();
    lab.balancer.descriptorLimit = lab.balancer.openSockets;
    expect(await client.ask('PASV')).toMatch(/^425 /);
    expect(lab.of('ftp.data-refused')).toMatchObject([{ reason: 'no-resources' }]);
    lab.balancer.descriptorLimit = Infinity;
    await download(client, 'PASV');
  });

  it('that has no descriptor left for the client gives 425 at once', async () => {
    await begin();
    const client = await lab.loggedIn();
    const at = await client.epsv();
    client.send('RETR file');
    await lab.pass(100);
    lab.balancer.descriptorLimit = lab.balancer.openSockets;
    const data = await client.connect(at);
    await lab.until('a reset', () => data.ear.isClosed);
    expect([await client.line(), await client.line()]).toEqual([
      '150 here it comes',
      expect.stringMatching(/^42[56] /),
    ]);
    expect(lab.of('ftp.data-refused')).toMatchObject([{ leg: 'client', reason: 'no-resources' }]);
  });

  it('follows a new snapshot', async () => {
    await begin();
    const client = await lab.loggedIn();
    const old = await client.epsv();
    const passivePorts = { first: 50_000, last: 50_009 };
    const passivePool = createPassivePool(passivePorts, 1);
    void lab.engine.update(lab.snapshot({ data: { ...ftpService.data, passivePorts }, passivePool }));
    const other = await lab.loggedIn();
    expect((await other.epsv()).port).toBeGreaterThanOrEqual(50_000);
    const data = await client.connect(old);
    await lab.pass(10);
    expect(data.ear.events).toEqual([]);
  });
});

describe('an active client', () => {
  it('is reached from the VIP’s address and port 20', async () => {
    await begin();
    const client = await lab.loggedIn();
    const data = await download(client, 'PORT');
    expect(data.socket.remote).toEqual({ address: '10.0.0.1', port: 20 });
  });

  it.each(['TLB_ERR_PERMISSION', 'TLB_ERR_ADDRESS_IN_USE'] as const)(
    'is reached from another port where 20 is not to be had: %s',
    async (code) => {
      await begin({ wrap: (host) => withoutPort20(host, code) });
      const client = await lab.loggedIn();
      const { remote } = (await download(client, 'PORT')).socket;
      expect(remote.address).toBe('10.0.0.1');
      expect(remote.port).not.toBe(20);
    },
  );

  it('that is link-local is reached in the zone of its control connection', async () => {
    await begin({ service: { listeners: [{ address: linkLocal, port: 21 }] } });
    const host = lab.net.host(['fe80::2%eth0']);
    const client = await (await lab.client(host, linkLocal)).login();
    await client.connect(await client.epsv());
    const { at, accepted } = await client.listen();
    await client.ask(`EPRT ${formatEprt('fe80::2', at.port)}`);
    client.send('RETR file');
    const data = await accepted();
    expect(data.socket.remote).toEqual({ address: linkLocal, port: 20 });
    await client.until('all data', () => data.ear.length === content.length);
  });

  it('that does not listen gets 425', async () => {
    await begin();
    const client = await lab.loggedIn();
    await client.ask(`PORT ${formatPort('10.2.0.1', 9_999)}`);
    expect(await client.ask('RETR file')).toMatch(/^425 /);
    expect(lab.of('ftp.data-refused')).toMatchObject([{ leg: 'client', reason: 'refused' }]);
    expect(lab.of('ftp.transfer')).toMatchObject([{ result: 'no-client-data', code: 425 }]);
    expect(server.last.heard).not.toContain('RETR file');
  });
});

describe('the backend’s data connection', () => {
  it('comes from the backend’s address alone where it is active', async () => {
    await begin({ data: { backendData: 'active' } });
    const client = await lab.loggedIn();
    let told: { address: string; port: number } | undefined;
    const { PORT: port } = server.handlers;
    server.handlers['PORT'] = (session, argument) => {
      const [a, b, c, d, high = 0, low = 0] = argument.split(',').map(Number);
      told = { address: `${a}.${b}.${c}.${d}`, port: high * 256 + low };
      return port?.(session, argument);
    };
    server.handlers['RETR'] = (session) => session.say('150 wait');
    await client.connect(await client.epsv());
    expect(await client.ask('RETR file')).toBe('150 wait');
    const at = await lab.until('PORT', () => told);
    expect(at.address).toBe('10.0.0.1');
    const stolen = await client.connect(at);
    await lab.until('a reset', () => stolen.ear.isClosed);
    expect(lab.of('ftp.data-refused')).toMatchObject([
      { leg: 'backend', reason: 'foreign-peer', peer: expect.stringMatching(/^10\.2\.0\.1:/) as string },
    ]);
    const data = await lab.net.play(server.last.data());
    data.end();
    server.last.say('226 empty');
    expect(await client.line()).toBe('226 empty');
  });

  it.each(['ignore', 'trust'] as const)(
    'goes where its 227 says only if that is trusted: %s',
    async (backendPasvAddress) => {
      await begin({ data: { backendPasvAddress } });
      const reached: string[] = [];
      const listener = await lab.net
        .host(['10.9.0.9'])
        .listenTcp(
          { address: '10.9.0.9', port: 5_000 },
          { onConnection: (socket) => reached.push(socket.remote.address), onError: () => undefined },
        );
      server.handlers['EPSV'] = (session) => session.say('500 what?');
      server.handlers['PASV'] = (session) => session.say('227 ok (10,9,0,9,19,136)');
      server.handlers['RETR'] = () => undefined;
      const client = await lab.loggedIn();
      await client.connect(await client.epsv());
      client.send('RETR file');
      await lab.pass(1_000);
      expect(reached).toEqual(backendPasvAddress === 'trust' ? ['10.0.0.1'] : []);
      listener.close();
    },
  );

  it('is awaited at an address without a zone, which FTP cannot name', async () => {
    const pool = { backends: [{ index: 0, name: 'b0', address: 'fe80::b%eth0', port: 21, weight: 1 }] };
    await begin({ data: { backendData: 'active' } });
    server.handlers['RETR'] = () => undefined;
    void lab.engine.update(lab.snapshot({ data: { ...ftpService.data, backendData: 'active' }, pool }));
    lab.backendHost(0).setAddresses(['fe80::b%eth0']);
    lab.balancer.setAddresses([lab.vip, linkLocal]);
    await lab.net.play(server.listen({ address: 'fe80::b%eth0', port: 21 }));
    const client = await lab.loggedIn();
    await client.connect(await client.epsv());
    client.send('RETR file');
    const told = await lab.until('EPRT', () => server.last.heard.find((line) => line.startsWith('EPRT')));
    expect(told).toMatch(/^EPRT \|2\|fe80::1\|\d+\|$/);
  });

  it('that is refused is asked for in another way', async () => {
    await begin({ data: { backendData: 'client' } });
    server.handlers['EPSV'] = (session) => session.say('229 ok (|||9|)');
    const client = await lab.loggedIn();
    await download(client, 'EPSV');
    expect(server.last.heard).toContain('PASV');
    expect(lab.of('ftp.data-refused')).toMatchObject([{ leg: 'backend', reason: 'refused' }]);
  });
});

function withoutPort20(host: MemoryHost, code: 'TLB_ERR_PERMISSION' | 'TLB_ERR_ADDRESS_IN_USE'): Net {
  const connectTcp: Net['connectTcp'] = (to, options) =>
    options.from?.port === 20
      ? Promise.reject(new NetError(code, 'not port 20'))
      : host.connectTcp(to, options);
  return changedNet(host, { connectTcp });
}
