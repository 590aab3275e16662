/** A small FTP server whose answer to each verb can be replaced, for what real servers do not do on demand. */
import { parseEprt, parsePort } from '../../src/ftp/endpoints.ts';
import type { Endpoint } from '../../src/net/net.ts';
import type { TcpListener, TcpNet, TcpSocket } from '../../src/net/tcp.ts';
import { bytes } from '../contract/net-tcp-scene.ts';

export type Handler = (session: ServerSession, argument: string) => unknown;

export class FtpServer {
  readonly handlers: Record<string, Handler>;
  readonly files: Map<string, Uint8Array> = new Map();
  readonly sessions: ServerSession[] = [];
  /** What is said to whoever connects; nothing if undefined. */
  greeting: string | undefined;
  /** Whether each byte of a reply is sent by itself. */
  isBytewise = false;
  readonly net: TcpNet;
  #listener: TcpListener | undefined;

  constructor(net: TcpNet, name: string, handlers: Record<string, Handler> = {}) {
    this.net = net;
    this.greeting = `220 ${name} ready`;
    this.handlers = { ...defaultHandlers, ...handlers };
  }

  async listen(at: Endpoint): Promise<Endpoint> {
    this.#listener = await this.net.listenTcp(at, {
      onConnection: (socket) => this.sessions.push(new ServerSession(this, socket)),
      onError: (error) => {
        throw error;
      },
    });
    return this.#listener;
  }

  get last(): ServerSession {
    const last = this.sessions.at(-1);
    if (!last) throw new Error('nobody has connected');
    return last;
  }

  /** Answers as usual again. */
  restore(): void {
    Object.assign(this.handlers, defaultHandlers);
  }

  close(): void {
    this.#listener?.close();
  }
}

export class ServerSession {
  readonly server: FtpServer;
  readonly control: TcpSocket;
  /** Lines as they came. */
  readonly heard: string[] = [];
  /** What befell the control connection. */
  readonly events: string[] = [];
  #rest = '';
  #listener: TcpListener | undefined;
  #data: Promise<TcpSocket> | undefined;
  #target: Endpoint | undefined;

  constructor(server: FtpServer, control: TcpSocket) {
    this.server = server;
    this.control = control;
    control.handle({
      onData: (data) => this.#onData(Buffer.from(data).toString('latin1')),
      onEnd: () => {
        this.events.push('end');
        control.end();
      },
      onDrain: () => undefined,
      onClose: (end) => {
        this.events.push(end);
        this.#listener?.close();
      },
    });
    if (server.greeting !== undefined) this.say(server.greeting);
  }

  say(text: string): void {
    const reply = bytes(`${text}\r\n`);
    if (!this.server.isBytewise) this.control.write(reply);
    else for (const byte of reply) this.control.write(Uint8Array.of(byte));
  }

  /** Listens where the control connection arrived. */
  async listen(onConnection: (socket: TcpSocket) => void = () => undefined): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<TcpSocket>();
    this.#listener?.close();
    this.#data = promise;
    this.#listener = await this.server.net.listenTcp(
      { address: this.control.local.address, port: 0 },
      {
        onConnection: (socket) => {
          onConnection(socket);
          resolve(socket);
        },
        onError: () => undefined,
      },
    );
    return this.#listener.port;
  }

  aim(at: Endpoint): void {
    this.#target = at;
    this.#data = undefined;
  }

  /** The data connection that was agreed on. */
  async data(): Promise<TcpSocket> {
    const target = this.#target;
    this.#target = undefined;
    const from = { address: this.control.local.address, port: 0 };
    const data = target ? this.server.net.connectTcp(target, { from, timeout: 5_000 }) : this.#data;
    this.#data = undefined;
    if (data === undefined) throw new Error('no data connection was agreed on');
    const socket = await data;
    this.#listener?.close();
    return socket;
  }

  #onData(text: string): void {
    const lines = (this.#rest + text).split('\r\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      this.heard.push(line);
      const [verb = ''] = line.split(' ');
      const handler = this.server.handlers[verb.toUpperCase()] ?? ((session) => session.say('500 what?'));
      handler(this, line.slice(verb.length + 1));
    }
  }
}

/** Answers with `text`, which may be several replies. */
export function say(text: string): Handler {
  return (session) => session.say(text);
}

async function send(session: ServerSession, content: Uint8Array): Promise<void> {
  session.say('150 here it comes');
  const socket = await session.data();
  const finish = (): void => {
    socket.end();
    session.say('226 done');
  };
  let isOut = false;
  socket.handle({
    onData: () => undefined,
    onEnd: () => undefined,
    onDrain: () => {
      isOut = true;
      finish();
    },
    onClose: () => {
      if (!isOut) session.say('426 broken');
    },
  });
  isOut = socket.write(content);
  if (isOut) finish();
}

async function receive(session: ServerSession, name: string): Promise<void> {
  session.say('150 go on');
  const socket = await session.data();
  const chunks: Uint8Array[] = [];
  let isWhole = false;
  socket.handle({
    onData: (data) => chunks.push(data),
    onEnd: () => {
      isWhole = true;
      session.server.files.set(name, Buffer.concat(chunks));
      socket.end();
      session.say('226 done');
    },
    onDrain: () => undefined,
    onClose: () => {
      if (!isWhole) session.say('426 broken');
    },
  });
}

const defaultHandlers: Record<string, Handler> = {
  USER: say('331 password?'),
  PASS: say('230 welcome'),
  TYPE: say('200 type'),
  NOOP: say('200 fine'),
  QUIT: (session) => {
    session.say('221 bye');
    session.control.end();
  },
  EPSV: async (session) => session.say(`229 ok (|||${await session.listen()}|)`),
  PASV: async (session) => {
    const port = await session.listen();
    const address = session.control.local.address.replaceAll('.', ',');
    session.say(`227 ok (${address},${port >> 8},${port & 255})`);
  },
  PORT: (session, argument) => {
    const at = parsePort(argument);
    if (at.kind === 'endpoint') session.aim(at);
    session.say('200 ok');
  },
  EPRT: (session, argument) => {
    const at = parseEprt(argument, argument.startsWith('|2|') ? 6 : 4);
    if (at.kind === 'endpoint') session.aim(at);
    session.say('200 ok');
  },
  RETR: (session, name) => {
    const content = session.server.files.get(name);
    return content ? send(session, content) : session.say('550 no such file');
  },
  STOR: receive,
};
