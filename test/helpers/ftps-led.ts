/** An FTP client under TLS that a test leads by the hand, for what real clients do not do on demand. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import type { Endpoint } from '../../src/net/net.ts';
import type { TlsVersion } from '../../src/net/tls.ts';
import { CutWire } from './cut-wire.ts';

export interface LedOptions {
  /** Who signs the balancer's certificate, which is for `localhost`; as PEM. */
  readonly ca: string;
  /** TLS 1.3 if left out. */
  readonly maxVersion?: TlsVersion;
}

/** Milliseconds that a reply may take. */
const patience = 20_000;

export class Led {
  /** The connection beneath TLS. */
  readonly raw: Socket;
  /** What commands go to: `raw`, and what is secured on it once it is. */
  control: Socket;
  readonly #options: LedOptions;
  #session: Buffer | undefined;
  #heard = '';
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor({ address, port }: Endpoint, options: LedOptions) {
    this.raw = connectTcp({ host: address, port });
    this.control = this.raw;
    this.#options = options;
    this.#listen(this.raw);
    this.raw.once('close', () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  /** The code of the next reply. Throws if the connection ends instead. */
  async reply(): Promise<string> {
    return (await this.#line()).slice(0, 3);
  }

  /** The code that answers `command`. */
  ask(command: string): Promise<string> {
    this.control.write(`${command}\r\n`);
    return this.reply();
  }

  /** Waits for the greeting and puts the control connection under TLS. */
  async secure(): Promise<void> {
    await this.reply();
    await this.#demand('AUTH TLS', '234');
    this.raw.removeAllListeners('data');
    const tls = this.#tls(this.raw);
    this.#listen(tls);
    this.control = tls;
    await once(tls, 'secureConnect');
  }

  /** Logs in for binary transfers with data under TLS. */
  async login({ user, password }: { readonly user: string; readonly password: string }): Promise<void> {
    await this.#demand(`USER ${user}`, '331');
    await this.#demand(`PASS ${password}`, '230');
    await this.#demand('PBSZ 0', '200');
    await this.#demand('PROT P', '200');
    await this.#demand('TYPE I', '200');
  }

  /** An open data connection, before its TLS. */
  async passive(): Promise<Socket> {
    this.control.write('EPSV\r\n');
    const line = await this.#line();
    const [, port] = /^229 .*\(\|\|\|(\d+)\|\)/.exec(line) ?? [];
    if (port === undefined) throw new Error(`229 was expected, not ${line}`);
    const socket = connectTcp({ host: this.raw.remoteAddress ?? '', port: Number(port) });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }

  /** TLS on a data connection, or on what stands for one; it resumes the session of the control connection. */
  async tlsOn(socket: Duplex): Promise<TLSSocket> {
    const tls = this.#tls(socket);
    await once(tls, 'secureConnect');
    return tls;
  }

  /** Begins a transfer: resolves when its data connection is under TLS and the server has announced it. */
  async begin(command: string): Promise<{ readonly tls: TLSSocket; readonly wire: CutWire }> {
    const wire = new CutWire(await this.passive());
    this.control.write(`${command}\r\n`);
    const tls = await this.tlsOn(wire);
    const code = await this.reply();
    if (code !== '150') throw new Error(`${command} was answered ${code}, not 150`);
    return { tls, wire };
  }

  /** Whether there is still somebody who answers. */
  async isOpen(): Promise<boolean> {
    return (await this.ask('NOOP').catch(() => undefined)) === '200';
  }

  close(): void {
    this.control.destroy();
    this.raw.destroy();
  }

  async #demand(command: string, code: string): Promise<void> {
    const got = await this.ask(command);
    if (got !== code) throw new Error(`${command} was answered ${got}, not ${code}`);
  }

  /** The last line of the next reply. */
  async #line(): Promise<string> {
    const timer = setTimeout(() => this.close(), patience);
    try {
      for (;;) {
        const line = /^\d{3} .*\r\n/m.exec(this.#heard);
        if (line !== null) {
          this.#heard = this.#heard.slice(line.index + line[0].length);
          return line[0].trimEnd();
        }
        if (this.#isOver) throw new Error(`no reply, but ${JSON.stringify(this.#heard)} and the end`);
        await new Promise<void>((resolve) => (this.#wake = resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  #tls(socket: Duplex): TLSSocket {
    const session = this.#session && { session: this.#session };
    const tls = connectTls({ socket, host: 'localhost', ...this.#options, ...session });
    tls.on('session', (next) => (this.#session = next));
    return tls.on('error', () => undefined);
  }

  #listen(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => {
      this.#heard += data.toString('latin1');
      this.#wake();
    });
  }
}
