/** An FTP session on plain sockets, for what real clients do not do on demand: resets, pauses, many at the same time. */
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { formatEprt, formatPort } from '../../src/ftp/endpoints.ts';
import type { DataVerb, FtpTarget } from './ftp-client-specs.ts';

/** Errors are seen as the end that they are. */
function quiet(socket: Socket): Socket {
  return socket.on('error', () => undefined);
}

/** Settles when the data connection is open. */
type Opening = () => Promise<Socket>;

export class FtpDialogue {
  readonly #control: Socket;
  #text = '';
  #hasEnded = false;
  #wake: () => void = () => undefined;

  private constructor(control: Socket) {
    this.#control = quiet(control);
    control.setEncoding('latin1').on('data', (text: string) => {
      this.#text += text;
      this.#wake();
    });
    control.once('close', () => {
      this.#hasEnded = true;
      this.#wake();
    });
  }

  static async login({ address, port, user, password }: Omit<FtpTarget, 'verb'>): Promise<FtpDialogue> {
    const dialogue = new FtpDialogue(connect({ host: address, port }));
    await dialogue.#expect('220');
    await dialogue.ask(`USER ${user}`, '331');
    await dialogue.ask(`PASS ${password}`, '230');
    await dialogue.ask('TYPE I', '200');
    return dialogue;
  }

  /** The last line of the next reply; undefined if the connection has ended, in whatever way. */
  async reply(): Promise<string | undefined> {
    for (;;) {
      const line = /^\d{3} .*\r\n/mu.exec(this.#text);
      if (line !== null) {
        this.#text = this.#text.slice(line.index + line[0].length);
        return line[0].trimEnd();
      }
      if (this.#hasEnded) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  async ask(command: string, code: string): Promise<string> {
    this.#control.write(`${command}\r\n`);
    return this.#expect(code);
  }

  /** Begins a transfer: resolves to the open data connection when it has been announced. */
  async begin(verb: DataVerb, command: string): Promise<Socket> {
    const isActive = verb === 'PORT' || verb === 'EPRT';
    const open = await (isActive ? this.#listen(verb) : this.#connect(verb));
    const [data] = await Promise.all([open(), this.ask(command, '1')]);
    return data;
  }

  async download(verb: DataVerb, file: string): Promise<Buffer> {
    const data = await this.begin(verb, `RETR ${file}`);
    const content = Buffer.concat(await data.toArray());
    data.end();
    await this.#expect('226');
    return content;
  }

  async upload(verb: DataVerb, file: string, content: Uint8Array): Promise<void> {
    const data = await this.begin(verb, `STOR ${file}`);
    data.resume().end(content);
    await this.#expect('226');
  }

  close(): void {
    this.#control.destroy();
  }

  async #expect(code: string): Promise<string> {
    const reply = await this.reply();
    if (reply?.startsWith(code) !== true) throw new Error(`${code} was expected, not ${reply}`);
    return reply;
  }

  async #listen(verb: 'PORT' | 'EPRT'): Promise<Opening> {
    const { localAddress: address = '' } = this.#control;
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }).listen(0, address);
    await once(server, 'listening');
    const accepted = once(server, 'connection');
    const { port } = server.address() as AddressInfo;
    const argument = verb === 'PORT' ? formatPort(address, port) : formatEprt(address, port);
    await this.ask(`${verb} ${argument}`, '200');
    return async () => {
      const [data] = await accepted;
      server.close();
      return quiet(data as Socket);
    };
  }

  async #connect(verb: 'PASV' | 'EPSV'): Promise<Opening> {
    const numbers = (await this.ask(verb, '22')).slice(4).match(/\d+/gu) ?? [];
    const [high = 0, low = 0] = numbers.slice(4).map(Number);
    const host = verb === 'PASV' ? numbers.slice(0, 4).join('.') : this.#control.remoteAddress;
    const port = verb === 'PASV' ? high * 256 + low : Number(numbers[0]);
    const data = connect({ host, port, allowHalfOpen: true });
    const connected = once(data, 'connect');
    return async () => {
      await connected;
      return quiet(data);
    };
  }
}
