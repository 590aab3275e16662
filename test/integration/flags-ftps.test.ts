/** What options of TLS and proxies do to sessions. */
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterAll, expect, onTestFinished, test } from 'vitest';
import { makeKeyPair } from '../helpers/certificates.ts';
import { freePort } from '../helpers/ftp-daemons.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { describeFlags } from './flags.ts';
import { backendTests } from './flags-ftps-backends.ts';
import { dataTests } from './flags-ftps-data.ts';
import { handshake, pemFile, secured } from './ftps.ts';
import { connectTo, loginTo, net, startFtpBalancer, startFtpServer, verbsOf } from './ftp.ts';

afterAll(stopAll);

const authority = makeKeyPair({ name: 'authority' });
const first = makeKeyPair({ name: 'first', names: 'DNS:first.example' });
const second = makeKeyPair({ name: 'second', names: 'DNS:second.example' });
const client = makeKeyPair({ name: 'client', issuer: authority });

const both = pemFile('first.pem', `${first.certificate}${first.key}`);
const certificates = [pemFile('a.pem', first.certificate), pemFile('b.pem', second.certificate)];
const keys = [pemFile('a.key', first.key), pemFile('b.key', second.key)];
const ca = pemFile('ca.pem', authority.certificate);
const allowed = ['--ftp-tls=allowed', `--tls-cert=${both}`];

/** The reply to a command within TLS. */
async function ask(tls: TLSSocket, command: string): Promise<string> {
  let heard = '';
  const onData = (data: Buffer): void => void (heard += data.toString('latin1'));
  tls.on('data', onData);
  tls.write(`${command}\r\n`);
  const reply = await until('a reply', () => /^(\d{3}) .*\r\n/m.exec(heard)?.[1]);
  tls.off('data', onData);
  return reply;
}

/** The first bytes that a balancer with these flags sends to its server. */
async function preludeWith(...flags: readonly string[]): Promise<Buffer> {
  let heard: Buffer | undefined;
  const handlers = {
    onData: (data: Uint8Array) => (heard ??= Buffer.from(data)),
    onEnd: () => undefined,
    onDrain: () => undefined,
    onClose: () => undefined,
  };
  const server = await net.listenTcp(
    { address: ownLoopback(), port: 0 },
    { onConnection: (socket) => socket.handle(handlers), onError: () => undefined },
  );
  onTestFinished(() => server.close());
  const { listener } = await startFtpBalancer([server], ...flags);
  await connectTo(listener);
  return until('something', () => heard);
}

describeFlags('FTPS', {
  ...backendTests,
  ...dataTests,

  ftpTls: () => {
    test.each([
      ['off', [], '502', '331'],
      ['allowed', [`--tls-cert=${both}`], '234', '331'],
      ['required', [`--tls-cert=${both}`], '234', '530'],
      ['passthrough', [], '500', '331'],
    ] as const)('%s', async (mode, flags, toAuth, toUser) => {
      const { listener } = await startFtpBalancer([await startFtpServer()], `--ftp-tls=${mode}`, ...flags);
      for (const [command, code] of [
        ['AUTH TLS', toAuth],
        ['USER joe', toUser],
      ] as const) {
        const led = await connectTo(listener);
        await led.line();
        expect((await led.ask(command)).slice(0, 3)).toBe(code);
      }
    });
  },

  ftpsPort: () => {
    test('begins with TLS', async () => {
      const port = await freePort('127.0.0.1');
      await startFtpBalancer([await startFtpServer()], `--ftps-port=${port}`, `--tls-cert=${both}`);
      const tls = await handshake(connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false }));
      onTestFinished(() => void tls.destroy());
      expect(await ask(tls, 'USER joe')).toBe('220');
    });
  },

  tlsCert: () => {
    test('that has the name that a client asks for is shown, or the first', async () => {
      const flags = certificates.flatMap((place, at) => [`--tls-cert=${place}`, `--tls-key=${keys[at]}`]);
      const { listener } = await startFtpBalancer([await startFtpServer()], '--ftp-tls=allowed', ...flags);
      const names = ['second.example', 'first.example', 'other.example'];
      const shown = [];
      for (const servername of names) {
        const tls = await secured(listener, { servername });
        shown.push(tls.getPeerCertificate().subject.CN);
      }
      expect(shown).toEqual(['second', 'first', 'first']);
    });
  },

  tlsKey: () => {
    test('of another certificate is refused at the start', async () => {
      const flags = ['--ftp-tls=allowed', `--tls-cert=${certificates[0]}`, `--tls-key=${keys[1]}`];
      await expect(startFtpBalancer([await startFtpServer()], ...flags)).rejects.toThrow(
        /the private key is not that of the certificate/,
      );
    });
  },

  tlsMinVersion: () => {
    test('refuses what is older', async () => {
      const { listener } = await startFtpBalancer(
        [await startFtpServer()],
        ...allowed,
        '--tls-min-version=1.3',
      );
      await expect(secured(listener, { maxVersion: 'TLSv1.2' })).rejects.toThrow(/version/);
      expect((await secured(listener)).getProtocol()).toBe('TLSv1.3');
    });
  },

  tlsClientCa: () => {
    test('has the subject of a certificate in the log', async () => {
      const balancer = await startFtpBalancer([await startFtpServer()], ...allowed, `--tls-client-ca=${ca}`);
      const tls = await secured(balancer.listener, { cert: client.certificate, key: client.key });
      expect(await ask(tls, 'QUIT')).toBe('221');
      const line = await balancer.said({ event: 'ftp.session.end' });
      expect(line['subject']).toBe('CN=client,O=Tests');
    });
  },

  tlsClientCert: () => {
    test('required serves nobody without one', async () => {
      const flags = [...allowed, `--tls-client-ca=${ca}`, '--tls-client-cert=required'];
      const balancer = await startFtpBalancer([await startFtpServer()], ...flags);
      const known = await secured(balancer.listener, { cert: client.certificate, key: client.key });
      expect(await ask(known, 'NOOP')).toMatch(/^\d{3}$/);
      const stranger = await secured(balancer.listener).catch(() => undefined);
      stranger?.on('error', () => undefined);
      await balancer.said({ event: 'ftp.tls-failed', reason: 'certificate', leg: 'client' });
    });
  },

  ftpDataTls: () => {
    test('required refuses transfers in clear', async () => {
      const { listener } = await startFtpBalancer(
        [await startFtpServer()],
        ...allowed,
        '--ftp-data-tls=required',
      );
      const led = await loginTo(listener);
      expect(await led.ask('RETR file')).toMatch(/^521 /);
    });
  },

  tlsHandshakeTimeout: () => {
    test('ends a handshake that does not come', async () => {
      const balancer = await startFtpBalancer(
        [await startFtpServer()],
        ...allowed,
        '--tls-handshake-timeout=100ms',
      );
      const led = await connectTo(balancer.listener);
      await led.line();
      await led.ask('AUTH TLS');
      await balancer.said({ event: 'ftp.tls-failed', reason: 'timeout' });
    });
  },

  backendTls: () => {
    test.each([
      ['off', '220', []],
      ['auto', '220', ['AUTH']],
      ['required', '421', ['AUTH']],
      ['match', '220', []],
    ] as const)('%s, with a server that does not know it', async (mode, code, verbs) => {
      const server = await startFtpServer();
      const balancer = await startFtpBalancer([server], `--backend-tls=${mode}`);
      expect((await (await connectTo(balancer.listener)).line()).slice(0, 3)).toBe(code);
      expect(verbsOf(server)).toEqual(verbs);
      if (mode !== 'required') return;
      await balancer.said({ event: 'ftp.tls-failed', reason: 'refused', leg: 'backend', backend: 'b0' });
    });
  },

  backendTlsImplicit: () => {
    test('begins with a handshake', async () => {
      const prelude = await preludeWith('--backend-tls=required', '--backend-tls-implicit');
      expect([...prelude.subarray(0, 2)]).toEqual([0x16, 0x03]);
    });
  },

  proxyProtocolFrom: () => {
    test('believes the header of a proxy, and has to have it', async () => {
      const flags = ['--proxy-protocol-from=127.0.0.9', '--proxy-protocol-timeout=200ms'];
      const balancer = await startFtpBalancer([await startFtpServer()], ...flags);
      const proxied = await connectTo(balancer.listener, '127.0.0.9');
      proxied.send('PROXY TCP4 192.0.2.50 198.51.100.1 4000 21');
      await proxied.line();
      await proxied.ask('QUIT');
      await balancer.said({ event: 'ftp.session.end', client: '192.0.2.50:4000', vip: '198.51.100.1:21' });
      const direct = await connectTo(balancer.listener);
      expect(await direct.line()).toMatch(/^220 /);
    });
  },

  backendProxyProtocol: () => {
    test.each([
      ['v1', /^PROXY TCP4 127\.0\.0\.1 127\.0\.0\.1 \d+ \d+\r\n$/],
      ['v2', /^\r\n\r\n\0\r\nQUIT\n/],
    ])('%s tells servers of the client', async (version, form) => {
      const prelude = await preludeWith(`--backend-proxy-protocol=${version}`);
      expect(prelude.toString('latin1')).toMatch(form);
    });
  },

  proxyProtocolTimeout: () => {
    test('ends a connection of a proxy that says nothing', async () => {
      const flags = ['--proxy-protocol-from=127.0.0.9', '--proxy-protocol-timeout=100ms'];
      const balancer = await startFtpBalancer([await startFtpServer()], ...flags);
      await connectTo(balancer.listener, '127.0.0.9');
      await balancer.said({ event: 'session.reject', reason: 'proxy-header' });
    });
  },
});
