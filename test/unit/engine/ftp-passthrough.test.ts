import { describe, expect, it } from 'vitest';
import { bytes } from '../../contract/net-tcp-scene.ts';
import { ftpService, useFtpLab } from '../../helpers/ftp-lab.ts';

const start = useFtpLab();
const passthrough = { tls: { ...ftpService.tls, isPassthrough: true } };

describe('a service in passthrough mode', () => {
  it('carries both ways what it does not understand', async () => {
    const { lab, server } = await start({ backends: 1, service: passthrough });
    const client = await lab.client();
    expect(await client.line()).toBe('220 b0 ready');
    client.control.write(bytes('GET / HTTP/1.1\r\nAUTH TLS\r\n\u0000\r\n'));
    await lab.until('the lines', () => server.last.heard.length === 3);
    expect(server.last.heard).toEqual(['GET / HTTP/1.1', 'AUTH TLS', '\u0000']);
    expect(await client.ask('QUIT')).toMatch(/^\d{3} /);
  });

  it('passes on an end, and reports it', async () => {
    const { lab } = await start({ backends: 1, service: passthrough });
    const client = await lab.client();
    await client.line();
    expect(lab.active()).toEqual([1]);
    client.control.end();
    await lab.until('the end', () => lab.of('ftp.session.end').length === 1);
    expect(lab.of('ftp.session.end')).toMatchObject([{ backend: 'b0', tries: 1, user: '' }]);
    expect(lab.active()).toEqual([0]);
  });

  it('passes on a reset', async () => {
    const { lab, server } = await start({ backends: 1, service: passthrough });
    const client = await lab.client();
    await client.line();
    server.last.control.reset();
    await lab.until('the end', () => lab.of('ftp.session.end').length === 1);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'backend-reset' }]);
  });

  it('asks the next backend where one cannot be reached, and says 421 where none can', async () => {
    const { lab, servers } = await start({ backends: 2, service: passthrough });
    servers[0]?.close();
    for (let n = 0; n < 2; n += 1) expect(await (await lab.client()).line()).toBe('220 b1 ready');
    servers[1]?.close();
    expect(await (await lab.client()).line()).toMatch(/^421 /);
    const ends = await lab.until(
      'the end',
      () => lab.of('ftp.session.end').length > 0 && lab.of('ftp.session.end'),
    );
    expect(ends).toMatchObject([{ end: 'no-backend', tries: 2 }]);
  });

  it('does not wait for ever for a side that stays open', async () => {
    const { lab } = await start({ backends: 1, service: passthrough });
    const client = await lab.client();
    await client.line();
    lab.engine.drain();
    await lab.pass(60_000);
    expect(lab.of('ftp.session.end')).toEqual([]);
    await lab.net.play(lab.engine.stop());
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'shutdown' }]);
  });
});
