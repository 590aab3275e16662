/** TLS on real sockets: a certificate of the balancer's own, and clients whose bytes are led by hand. */
import { connect, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import type { KeyPair, TlsVersion } from '../../src/net/tls.ts';
import type { Balancer } from '../helpers/balancer.ts';
import { makeKeyPair } from '../helpers/certificates.ts';
import { Led, type LedOptions } from '../helpers/ftps-led.ts';
import { until } from '../helpers/processes.ts';
import { TlsForger } from '../helpers/tls-forger.ts';
import { pemFile } from './ftps.ts';

/** For `localhost` and 127.0.0.1. */
export const own: KeyPair = makeKeyPair();

/** What a balancer shows to its clients. */
export const certificate: string = pemFile('own.pem', `${own.certificate}${own.key}`);

/** A connection whose bytes are the test's own. It ends with the test. */
export class RawClient {
  readonly socket: Socket;
  heard = '';
  isOver = false;

  constructor({ address, port }: Endpoint, from = '127.0.0.1') {
    this.socket = connect({ host: address, port, localAddress: from });
    this.socket.on('data', (data) => (this.heard += data.toString('latin1')));
    this.socket.on('error', () => undefined).on('close', () => (this.isOver = true));
    onTestFinished(() => void this.socket.destroy());
  }

  write(data: string | Uint8Array): void {
    this.socket.write(typeof data === 'string' ? Buffer.from(data, 'latin1') : data);
  }

  /** Waits for a reply with this code, and forgets what came before its end. */
  async reply(code: string): Promise<string> {
    const line = await until(code, () => {
      const found = new RegExp(`^${code} .*\r\n`, 'm').exec(this.heard);
      if (found === null && this.isOver) throw new Error(`the end instead of ${code}: ${this.heard}`);
      return found?.[0];
    });
    this.heard = this.heard.slice(this.heard.indexOf(line) + line.length);
    return line;
  }

  async over(): Promise<void> {
    await until('the end of a connection', () => this.isOver || undefined);
  }
}

/** A client that has put its control connection under TLS, and makes its records by hand. */
export async function forgeOn(listener: Endpoint, version: TlsVersion): Promise<TlsForger> {
  const client = new RawClient(listener);
  await client.reply('220');
  client.write('AUTH TLS\r\n');
  await client.reply('234');
  return TlsForger.on(client.socket, version);
}

/** Asks within TLS, and waits for the code. */
export async function askForged(forger: TlsForger, command: string, code: string): Promise<void> {
  const at = forger.heard.length;
  forger.raw.write(forger.line(command));
  await until(`${code} to ${command}`, () => forger.heard.slice(at).includes(`${code} `) || undefined);
}

/** A client that has logged in within TLS, with its data under TLS as well. */
export async function ledTo(listener: Endpoint, options: Omit<LedOptions, 'ca'> = {}): Promise<Led> {
  const led = new Led(listener, { ca: own.certificate, ...options });
  onTestFinished(() => led.close());
  await led.secure();
  await led.login({ user: 'joe', password: 'secret' });
  return led;
}

/** What a client of Node says first, as it goes over the wire. */
export async function clientHello(): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const socket = new Duplex({
    read: () => undefined,
    write: (data: Buffer, _encoding, done) => {
      resolve(data);
      done();
    },
  });
  const tls = connectTls({ socket }).on('error', () => undefined);
  const hello = await promise;
  tls.destroy();
  return hello;
}

/** Waits until a metric has this value; the threads that serve clients tell of what they have counted a little later. */
export async function counted(
  balancer: Balancer,
  name: string,
  labels: Readonly<Record<string, string>>,
  value: number,
): Promise<void> {
  await until(`${name} ${JSON.stringify(labels)} is ${value}`, async () => {
    const now = await balancer.metric(`tftplb_${name}`, labels);
    return now === value || undefined;
  });
}
