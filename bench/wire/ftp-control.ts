/** A control connection that does no more for each reply than it must, to a server that is well behaved. */
import { connect, type Socket } from 'node:net';
import { connect as secure, type TLSSocket } from 'node:tls';

import { loopback } from '../messages.ts';

/** The last line of a reply (RFC 959 section 4.2). */
const finalLine = /^[1-5]\d\d /u;

export class FtpControl {
  #socket: Socket;
  #session: Buffer | undefined;
  #text = '';
  readonly #replies: string[] = [];
  #waiting: PromiseWithResolvers<string> | undefined;
  #lost: Error | undefined;

  constructor(port: number) {
    this.#socket = connect({ host: loopback, port, noDelay: true });
    this.#listen(this.#socket);
  }

  /** The newest TLS session to resume, for data connections; undefined without TLS. */
  get session(): Buffer | undefined {
    return this.#session;
  }

  /** Reads the greeting and logs in. With `isSecure` both connections are under TLS (RFC 4217). */
  async login(isSecure: boolean = false): Promise<void> {
    await this.expect('220');
    if (isSecure) await this.#secure();
    await this.ask('USER anonymous', '331');
    await this.ask('PASS bench', '230');
    if (!isSecure) return;
    await this.ask('PBSZ 0', '200');
    await this.ask('PROT P', '200');
  }

  /** Asks for a port to connect to (RFC 2428 section 3). */
  async enterPassive(): Promise<number> {
    const reply = await this.ask('EPSV', '229');
    const [, port] = /\(\|\|\|(\d+)\|\)/u.exec(reply) ?? [];
    if (port === undefined) throw new Error(`no port in "${reply}"`);
    return Number(port);
  }

  async leave(): Promise<void> {
    await this.ask('QUIT', '221');
    this.#socket.destroy();
  }

  /** Sends `command`; the final line of what answers it. Rejects if that begins with anything but `code`. */
  async ask(command: string, code: string): Promise<string> {
    this.#socket.write(`${command}\r\n`);
    return this.expect(code, command);
  }

  /** The final line of the next reply. Rejects if that begins with anything but `code`. */
  async expect(code: string, command = 'nothing'): Promise<string> {
    const reply = await this.#next();
    if (!reply.startsWith(code)) throw new Error(`expected ${code} to ${command}, not "${reply}"`);
    return reply;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  async #secure(): Promise<void> {
    await this.ask('AUTH TLS', '234');
    const socket: TLSSocket = secure({
      socket: this.#socket.removeAllListeners(),
      rejectUnauthorized: false,
    });
    this.#socket = socket.on('session', (session) => {
      this.#session = session;
    });
    this.#listen(socket);
  }

  #listen(socket: Socket): void {
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#onText(text));
    socket.once('error', (error) => this.#onLost(error));
    socket.once('close', () => this.#onLost(new Error('the control connection was closed')));
  }

  #next(): Promise<string> {
    const reply = this.#replies.shift();
    if (reply !== undefined) return Promise.resolve(reply);
    if (this.#lost) return Promise.reject(this.#lost);
    this.#waiting = Promise.withResolvers<string>();
    return this.#waiting.promise;
  }

  #onText(text: string): void {
    const lines = `${this.#text}${text}`.split('\r\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) if (finalLine.test(line)) this.#onReply(line);
  }

  #onReply(line: string): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) waiting.resolve(line);
    else this.#replies.push(line);
  }

  #onLost(error: Error): void {
    this.#lost ??= error;
    this.#waiting?.reject(this.#lost);
    this.#waiting = undefined;
  }
}
