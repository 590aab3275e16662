/** FTP servers under TLS by script, for what no real one does. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import type { KeyPair } from '../../src/net/tls.ts';
import { until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { own } from './ftps-raw.ts';

/** The balancer, as its server sees it on one connection. */
export class Peer {
  readonly raw: Socket;
  /** What is said and heard: `raw`, and TLS on it once that has begun. */
  stream: Socket;
  heard = '';

  constructor(raw: Socket) {
    this.raw = raw;
    this.stream = raw;
    this.#listen(raw);
  }

  say(text: string): void {
    this.stream.write(Buffer.from(`${text}\r\n`, 'latin1'));
  }

  /** Waits for this, and forgets it and what came before. */
  async hears(what: RegExp): Promise<string> {
    const [found, end] = await until(String(what), () => {
      const match = what.exec(this.heard);
      if (match === null && this.raw.destroyed) throw new Error(`the end instead of ${what}`);
      return match === null ? undefined : ([match[0], match.index + match[0].length] as const);
    });
    this.heard = this.heard.slice(end);
    return found;
  }

  /** Puts the connection under TLS. Rejects where the handshake fails. */
  async secure({ certificate: cert, key }: KeyPair = own): Promise<void> {
    this.raw.removeAllListeners('data');
    const tls = new TLSSocket(this.raw, { isServer: true, cert, key });
    this.#listen(tls);
    this.stream = tls;
    await once(tls, 'secure');
  }

  /** Says what a server says up to the login, and puts the connection under TLS when it is asked to. */
  async login(): Promise<void> {
    this.say('220 good');
    await this.hears(/^AUTH TLS\r\n/m);
    this.say('234 go');
    await this.secure();
    await this.answer({ PASS: '230 welcome' }, 'PASS');
  }

  /** Answers commands up to and with `last`: 331 to USER, 200 to what is not in `answers`. */
  async answer(answers: Readonly<Record<string, string>>, last?: string): Promise<void> {
    for (;;) {
      const line = await this.hears(/^.*\r\n/m);
      const [verb = ''] = line.trim().split(' ', 1);
      this.say(answers[verb] ?? (verb === 'USER' ? '331 password?' : '200 fine'));
      if (verb === last) return;
    }
  }

  #listen(socket: Socket): void {
    socket.on('error', () => undefined);
    socket.on('data', (data: Buffer) => (this.heard += data.toString('latin1')));
  }
}

export interface ScriptedServer extends Endpoint {
  readonly peers: Peer[];
}

/** Listens, and does `script` with each connection. It ends with the test. */
export async function startScripted(
  script: (peer: Peer) => Promise<unknown>,
  address: string = ownLoopback(),
): Promise<ScriptedServer> {
  const peers: Peer[] = [];
  const server: Server = createServer((socket) => {
    const peer = new Peer(socket);
    peers.push(peer);
    // The end of the connection is the end of the script.
    script(peer).catch(() => undefined);
  });
  server.listen(0, address);
  onTestFinished(() => {
    server.close();
    for (const { raw } of peers) raw.destroy();
  });
  await once(server, 'listening');
  const at = server.address();
  return { address, port: typeof at === 'object' ? (at?.port ?? 0) : 0, peers };
}
