/** An FTP server under TLS that says 226 to every download, however it has ended it. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { createSecureContext, TLSSocket, type SecureContext } from 'node:tls';
import type { Endpoint } from '../../src/net/net.ts';
import type { KeyPair, TlsVersion } from '../../src/net/tls.ts';
import { CutWire } from './cut-wire.ts';

/** What a download ends by: the name of the file that is asked for. */
export const tears = ['close_notify', 'last-byte', 'middle', 'record'] as const;
export type Tear = (typeof tears)[number];

/** Implicit TLS, and TLS on every data connection. It lets everybody in. */
export class TornServer {
  readonly #context: SecureContext;
  readonly #content: Uint8Array;
  readonly #sockets = new Set<Socket>();
  readonly #servers: Server[] = [];

  constructor({ certificate, key }: KeyPair, maxVersion: TlsVersion, content: Uint8Array) {
    this.#context = createSecureContext({ cert: certificate, key, maxVersion });
    this.#content = content;
  }

  /** On a port that the kernel chooses. */
  async listen(address: string): Promise<Endpoint> {
    return { address, port: await this.#listen(address, (socket) => this.#serve(socket, address)) };
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #listen(address: string, onConnection: (socket: Socket) => void): Promise<number> {
    const server = createServer((socket) => {
      this.#sockets.add(socket.on('error', () => undefined));
      onConnection(socket);
    });
    this.#servers.push(server);
    await once(server.listen(0, address), 'listening');
    return (server.address() as AddressInfo).port;
  }

  #serve(socket: Socket, address: string): void {
    const control = this.#secure(socket);
    const say = (reply: string): unknown => control.write(`${reply}\r\n`);
    let data: Promise<Socket> | undefined;
    const answers: Readonly<Record<string, (argument: string) => unknown>> = {
      USER: () => say('331 password?'),
      PASS: () => say('230 welcome'),
      PBSZ: () => say('200 fine'),
      PROT: () => say('200 fine'),
      TYPE: () => say('200 fine'),
      EPSV: async () => {
        const { promise, resolve } = Promise.withResolvers<Socket>();
        data = promise;
        say(`229 here (|||${await this.#listen(address, resolve)}|)`);
      },
      RETR: async (file) => {
        say('150 here it comes');
        if (data !== undefined) await this.#send(await data, file as Tear);
        say('226 all of it');
      },
    };
    say('220 hello');
    createInterface(control).on('line', (line) => {
      const [verb = '', argument = ''] = line.split(' ');
      const answer = answers[verb] ?? (() => say('500 what?'));
      answer(argument);
    });
  }

  /** Resolves when the end was sent. */
  async #send(socket: Socket, tear: Tear): Promise<void> {
    const wire = new CutWire(socket);
    const tls = this.#secure(wire);
    await once(tls, 'secure');
    const length = tear === 'middle' ? this.#content.length / 2 : this.#content.length;
    if (tear === 'record') wire.cutAfter(length - 1_000);
    await new Promise((resolve) => tls.write(this.#content.subarray(0, length), resolve));
    if (tear === 'close_notify') tls.end();
    else socket.end();
    await once(socket, 'finish');
  }

  #secure(socket: Socket | CutWire): TLSSocket {
    const tls = new TLSSocket(socket, { isServer: true, secureContext: this.#context });
    return tls.on('error', () => undefined).resume();
  }
}
