import { describe, expect, it } from 'vitest';
import type { ProxyRules } from '../../../src/engine/snapshot.ts';
import { encodeProxyHeader } from '../../../src/net/proxy-header.ts';
import { bytes, TcpEar } from '../../contract/net-tcp-scene.ts';
import { FtpClient } from '../../helpers/ftp-client.ts';
import { type FtpLab, useFtpLab } from '../../helpers/ftp-lab.ts';

const start = useFtpLab();

const real = { address: '192.0.2.50', port: 40_000 };
const reached = { address: '198.51.100.1', port: 21 };
const trusting: ProxyRules = {
  trusted: [{ address: '10.2.0.0', prefix: 16 }],
  version: undefined,
  timeout: 5_000,
};

/** Passes on a connection of `real`, as a proxy does. */
async function passedOn(lab: FtpLab, header: Uint8Array): Promise<FtpClient> {
  const host = lab.clientHost();
  const control = await lab.net.play(host.connectTcp({ address: lab.vip, port: 21 }, { timeout: 5_000 }));
  control.write(header);
  return new FtpClient(host, control, (what, condition) => lab.until(what, condition));
}

describe('a header of the PROXY protocol', () => {
  it.each([1, 2] as const)(
    'of version %i says who the client is, and what it has reached',
    async (version) => {
      const { lab } = await start({ service: { proxy: trusting } });
      const client = await passedOn(lab, encodeProxyHeader(version, real, reached));
      await client.login();
      expect(await client.ask('PASV')).toMatch(/^227 .*\(198,51,100,1,/);
      expect(await client.ask('PORT 10,2,0,1,20,20')).toMatch(/^501 /);
      expect(await client.ask('PORT 192,0,2,50,20,20')).toMatch(/^200 /);
      expect(await client.ask('QUIT')).toBe('221 bye');
      expect(lab.of('ftp.session.end')).toMatchObject([
        { client: '192.0.2.50:40000', vip: '198.51.100.1:21' },
      ]);
    },
  );

  it('may come with what the client says, and byte by byte', async () => {
    const { lab } = await start({ service: { proxy: trusting } });
    const client = await passedOn(lab, new Uint8Array());
    const said = Buffer.concat([encodeProxyHeader(1, real, reached), bytes('USER joe\r\n')]);
    for (const byte of said) {
      client.control.write(Uint8Array.of(byte));
      await lab.pass(1);
    }
    expect(await client.line()).toMatch(/^220 /);
    expect(await client.line()).toMatch(/^331 /);
    await client.ask('QUIT');
  });

  it('counts for limits: each client has its own', async () => {
    const limits = { total: 100, perClient: 1, perBackend: 0 };
    const { lab } = await start({ service: { proxy: trusting, limits } });
    const client = await passedOn(lab, encodeProxyHeader(2, real, reached));
    await client.line();
    const other = { address: '192.0.2.51', port: 40_000 };
    expect(await (await passedOn(lab, encodeProxyHeader(2, other, reached))).line()).toMatch(/^220 /);
    expect(await (await passedOn(lab, encodeProxyHeader(2, real, reached))).line()).toMatch(/^421 /);
    expect(lab.of('session.reject')).toMatchObject([
      { client: '192.0.2.50:40000', vip: '198.51.100.1:21', reason: 'max-sessions-per-client' },
    ]);
  });

  it.each([
    ['that is none', bytes('USER joe\r\n'), 0],
    ['that does not come', new Uint8Array(), 6_000],
  ])('%s breaks the connection of a trusted proxy', async (_, said, wait) => {
    const { lab, server } = await start({ service: { proxy: trusting } });
    const client = await passedOn(lab, said);
    await lab.pass(wait);
    await lab.until(
      'the end',
      () => client.ear.events.includes('reset') || client.ear.events.includes('close reset'),
    );
    expect(lab.of('session.reject')).toMatchObject([{ reason: 'proxy-header' }]);
    expect(server.sessions).toEqual([]);
  });

  it('of somebody else ends the session', async () => {
    const { lab } = await start();
    const client = await passedOn(lab, encodeProxyHeader(1, real, reached));
    expect(await client.line()).toMatch(/^220 /);
    expect(await client.line()).toMatch(/^421 /);
    const [end] = await lab.until(
      'the end',
      () => lab.of('ftp.session.end').length > 0 && lab.of('ftp.session.end'),
    );
    expect(end).toMatchObject({ end: 'proxy-header', client: expect.stringMatching(/^10\.2\.0\./) });
  });

  it('that is still owed when all stops is waited for no longer', async () => {
    const { lab } = await start({ service: { proxy: trusting } });
    await passedOn(lab, new Uint8Array());
    await lab.net.play(lab.engine.stop());
    await lab.pass(10);
    expect(lab.balancer.openSockets).toBe(0);
  });
});

describe('backends', () => {
  it.each([1, 2] as const)(
    'are told of the client in version %i, and never on data connections',
    async (version) => {
      const { lab } = await start({ backends: 1, service: { proxy: { ...trusting, trusted: [], version } } });
      const heard: TcpEar[] = [];
      const listener = await lab.net.play(
        lab.backendHost(0).listenTcp(
          { address: lab.backendAddress(0), port: 2_100 },
          {
            onConnection: (socket) => {
              const ear = new TcpEar();
              socket.handle(ear);
              heard.push(ear);
            },
            onError: () => undefined,
          },
        ),
      );
      const backend = { index: 0, name: 'b0', address: lab.backendAddress(0), port: 2_100, weight: 1 };
      const proxy = { ...trusting, trusted: [], version };
      void lab.engine.update(lab.snapshot({ pool: { backends: [backend] }, proxy }));
      const client = await lab.client();
      const { remote, local } = client.control;
      const expected = Buffer.from(encodeProxyHeader(version, local, remote)).toString('latin1');
      await lab.until('the header', () => (heard[0]?.data.length ?? 0) >= expected.length);
      expect(heard[0]?.data).toBe(expected);
      listener.close();
      client.control.reset();
      await lab.pass(100);
    },
  );
});
