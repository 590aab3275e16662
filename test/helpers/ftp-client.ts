/** An FTP client that a test leads by the hand. */
import { parseEpsvReply, parsePasvReply } from '../../src/ftp/endpoints.ts';
import type { Reply } from '../../src/ftp/replies.ts';
import type { Endpoint } from '../../src/net/net.ts';
import type { TcpListener, TcpNet, TcpSocket } from '../../src/net/tcp.ts';
import { bytes, TcpEar } from '../contract/net-tcp-scene.ts';

/** How a client waits for something in its world. */
export type Until = <T>(what: string, condition: () => T | undefined | false) => Promise<T>;

/** One end of a connection, and what it hears. */
export interface Heard {
  readonly socket: TcpSocket;
  readonly ear: TcpEar;
}

export class FtpClient {
  readonly net: TcpNet;
  readonly control: TcpSocket;
  readonly ear: TcpEar = new TcpEar();
  readonly until: Until;
  #read = 0;

  constructor(net: TcpNet, control: TcpSocket, until: Until) {
    this.net = net;
    this.control = control;
    this.until = until;
    control.handle(this.ear);
  }

  /** What it has heard behind the last line that was asked for. */
  get unread(): string {
    return this.ear.data.slice(this.#read);
  }

  send(line: string): void {
    this.control.write(bytes(`${line}\r\n`));
  }

  /** The next line. */
  async line(): Promise<string> {
    const end = await this.until('a line', () => {
      const at = this.ear.data.indexOf('\r\n', this.#read);
      return at < 0 ? undefined : at + 2;
    });
    const line = this.ear.data.slice(this.#read, end - 2);
    this.#read = end;
    return line;
  }

  /** Sends a command and returns the next line. */
  async ask(command: string): Promise<string> {
    this.send(command);
    return this.line();
  }

  async login(): Promise<this> {
    await this.line();
    await this.ask('USER joe');
    await this.ask('PASS secret');
    return this;
  }

  /** Where EPSV says that the balancer listens. */
  async epsv(): Promise<Endpoint> {
    const port = parseEpsvReply(replyOf(await this.ask('EPSV')));
    if (port === undefined) throw new Error('no port');
    return { address: this.control.remote.address, port };
  }

  /** Where PASV says that it does. */
  async pasv(): Promise<Endpoint> {
    const at = parsePasvReply(replyOf(await this.ask('PASV')));
    if (at === undefined) throw new Error('no address');
    return { address: at.address, port: at.port };
  }

  async connect(to: Endpoint, from?: Endpoint): Promise<Heard> {
    let opened: TcpSocket | undefined;
    let failure: unknown;
    this.net.connectTcp(to, { timeout: 5_000, ...(from && { from }) }).then(
      (socket) => (opened = socket),
      (error: unknown) => (failure = error),
    );
    await this.until('a data connection', () => opened !== undefined || failure !== undefined);
    if (opened === undefined) throw failure;
    return heard(opened);
  }

  /** Listens as PORT or EPRT announces it; the first connection is the one that counts. */
  async listen(): Promise<{ readonly at: Endpoint; readonly accepted: () => Promise<Heard> }> {
    const { address } = this.control.local;
    let listener: TcpListener | undefined;
    let data: Heard | undefined;
    const handlers = {
      onConnection: (socket: TcpSocket) => {
        listener?.close();
        data = heard(socket);
      },
      onError: () => undefined,
    };
    void this.net.listenTcp({ address, port: 0 }, handlers).then((opened) => (listener = opened));
    const at = await this.until('a listener', () => listener);
    return { at, accepted: () => this.until('a data connection', () => data) };
  }
}

function heard(socket: TcpSocket): Heard {
  const ear = new TcpEar();
  socket.handle(ear);
  return { socket, ear };
}

function replyOf(line: string): Reply {
  return { code: Number(line.slice(0, 3)), lines: [line] };
}
