/** The FTP client of the demo: a session that opens its data connections in each of the four ways. */
import { formatEprt, formatPort, parseEpsvReply, parsePasvReply } from '../ftp/endpoints.ts';
import { classOf, finalText, type Reply, type ReplyClass } from '../ftp/replies.ts';
import { FtpDialogue } from '../health/ftp-dialogue.ts';
import type { Endpoint, Net } from '../net/net.ts';
import type { TcpListener, TcpSocket } from '../net/tcp.ts';

/** The first two have the client connect (passive mode), the others the server (active mode). */
export const dataForms = ['PASV', 'EPSV', 'PORT', 'EPRT'] as const;
export type DataForm = (typeof dataForms)[number];

/** Milliseconds for a connection on loopback. */
const connectTimeout = 2_000;

/** A data connection, which an active client has only once the server has come. */
interface DataConnection {
  readonly socket: Promise<TcpSocket>;
}

export class DemoFtpClient {
  readonly #net: Net;
  readonly #signal: AbortSignal;
  readonly #control: TcpSocket;
  readonly #dialogue: FtpDialogue;
  #listener: TcpListener | undefined;
  #data: TcpSocket | undefined;

  private constructor(net: Net, control: TcpSocket, signal: AbortSignal) {
    this.#net = net;
    this.#control = control;
    this.#signal = signal;
    this.#dialogue = new FtpDialogue(control);
    signal.addEventListener('abort', () => this.close(), { once: true });
  }

  /** Rejects with NetError, or with the signal's reason. */
  static async connect(net: Net, server: Endpoint, signal: AbortSignal): Promise<DemoFtpClient> {
    const control = await net.connectTcp(server, { timeout: connectTimeout, signal });
    return new DemoFtpClient(net, control, signal);
  }

  /** Where the session comes from. */
  get local(): Endpoint {
    return this.#control.local;
  }

  /** Rejects with an error that has the server's reply, as all that follow. */
  async login(): Promise<void> {
    ensure('the greeting', await this.#dialogue.reply(), 'completion');
    await this.#ask('USER', 'anonymous');
    await this.#ask('TYPE', 'I');
  }

  /** What a command that reads, such as RETR or NLST, has to give. */
  async read(form: DataForm, verb: string, path: string): Promise<Uint8Array> {
    const socket = await this.#begin(form, verb, path);
    const content = await readToEnd(socket);
    ensure(verb, await this.#dialogue.reply(), 'completion');
    return content;
  }

  async store(form: DataForm, path: string, content: Uint8Array): Promise<void> {
    const socket = await this.#begin(form, 'STOR', path);
    const closed = readToEnd(socket);
    socket.write(content);
    socket.end();
    await closed;
    ensure('STOR', await this.#dialogue.reply(), 'completion');
  }

  async quit(): Promise<void> {
    await this.#ask('QUIT');
    this.#control.release();
  }

  /** Breaks whatever there still is. Idempotent. */
  close(): void {
    this.#listener?.close();
    this.#data?.reset();
    this.#control.reset();
  }

  async #begin(form: DataForm, verb: string, path: string): Promise<TcpSocket> {
    const connection = await this.#open(form);
    const begun = this.#ask(verb, path, 'preliminary');
    const [socket] = await Promise.all([connection.socket, begun]);
    return socket;
  }

  async #open(form: DataForm): Promise<DataConnection> {
    if (form === 'PORT') return this.#listen(form, formatPort);
    if (form === 'EPRT') return this.#listen(form, formatEprt);
    const reply = await this.#ask(form);
    const to = form === 'PASV' ? parsePasvReply(reply) : this.#epsvEndpoint(reply);
    if (to === undefined) throw new Error(`${form}: ${reply.code} names no port`);
    this.#data = await this.#net.connectTcp(to, { timeout: connectTimeout, signal: this.#signal });
    return { socket: Promise.resolve(this.#data) };
  }

  #epsvEndpoint(reply: Reply): Endpoint | undefined {
    const port = parseEpsvReply(reply);
    return port === undefined ? undefined : { address: this.#control.remote.address, port };
  }

  async #listen(verb: string, format: (address: string, port: number) => string): Promise<DataConnection> {
    const { promise: socket, resolve, reject } = Promise.withResolvers<TcpSocket>();
    const { address } = this.local;
    this.#listener = await this.#net.listenTcp(
      { address, port: 0 },
      {
        onConnection: (incoming) => {
          this.#listener?.close();
          this.#data = incoming;
          resolve(incoming);
        },
        onError: reject,
      },
    );
    await this.#ask(verb, format(address, this.#listener.port));
    return { socket };
  }

  async #ask(verb: string, argument?: string, wanted: ReplyClass = 'completion'): Promise<Reply> {
    const reply = await this.#dialogue.ask(verb, argument);
    ensure(verb, reply, wanted);
    return reply;
  }
}

function ensure(verb: string, reply: Reply, wanted: ReplyClass): void {
  if (classOf(reply.code) !== wanted) throw new Error(`${verb}: ${reply.code} ${finalText(reply)}`);
}

/** Resolves when both sides have ended the connection with a FIN; rejects if it was broken. */
function readToEnd(socket: TcpSocket): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const parts: Uint8Array[] = [];
  socket.handle({
    onData: (data) => void parts.push(data),
    onEnd: () => socket.end(),
    onDrain: () => {},
    onClose: (end) => {
      if (end === 'clean') resolve(Buffer.concat(parts));
      else reject(new Error('the data connection was reset'));
    },
  });
  return promise;
}
