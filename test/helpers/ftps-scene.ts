/** A balancer between clients under TLS that are led by the hand and a real server under TLS. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { startBalancer, type Balancer } from './balancer.ts';
import { sessionPids, type FtpServer } from './ftp-daemons.ts';
import { Led, type LedOptions } from './ftps-led.ts';
import { until } from './processes.ts';
import { makeFront, type SecureServer } from './secure-ftp.ts';

/** A client that has logged in, and which processes of the server are there for it. */
export interface Lane {
  readonly client: Led;
  readonly pids: readonly number[];
}

/** What was thought of uploads, in their order. */
interface Verdicts {
  /** Results in the log, each with the code that the client was sent. */
  readonly logged: readonly string[];
  /** Whether the server took it for whole. */
  readonly believed: readonly boolean[];
}

export class FtpsScene {
  readonly server: FtpServer;
  readonly balancer: Balancer;
  readonly #ca: string;
  #lastLogin: Promise<unknown> = Promise.resolve();

  private constructor(server: FtpServer, balancer: Balancer, ca: string) {
    this.server = server;
    this.balancer = balancer;
    this.#ca = ca;
  }

  static async start({ server, trust }: SecureServer, ...flags: readonly string[]): Promise<FtpsScene> {
    const front = makeFront();
    const all = [...front.flags, ...trust, '--ftp-tls=allowed', '--backend-tls=required', ...flags];
    const balancer = await startBalancer([server], { protocol: 'ftp', flags: all });
    return new FtpsScene(server, balancer, readFileSync(front.ca, 'utf8'));
  }

  options(maxVersion: LedOptions['maxVersion']): LedOptions {
    return { ca: this.#ca, ...(maxVersion && { maxVersion }) };
  }

  /** A new session, or `lane` if that has not ended. */
  login(maxVersion: LedOptions['maxVersion'], lane?: Lane): Promise<Lane> {
    // One at a time, or nobody would know whose the processes are.
    const login = this.#lastLogin.then(async () =>
      lane !== undefined && (await lane.client.isOpen()) ? lane : this.#login(maxVersion),
    );
    this.#lastLogin = login.catch(() => undefined);
    return login;
  }

  /** Of vsftpd. Waits until all sessions have ended. */
  async verdicts(uploads: readonly { readonly name: string }[]): Promise<Verdicts> {
    const { program, log, root } = this.server;
    await until('all sessions have ended', () => sessionPids(this.server)[0] === program.pid || undefined);
    const lines = readFileSync(log, 'utf8').matchAll(/ OK UPLOAD: Client "[^"]*", "([^"]+)"/g);
    const believed = new Set(Array.from(lines, ([, file = '']) => path.relative(root, file)));
    const logged = await until('the log has all uploads', () => {
      const results = this.#results();
      return uploads.every(({ name }) => results.has(name)) ? results : undefined;
    });
    return {
      logged: uploads.map(({ name }) => logged.get(name) ?? ''),
      believed: uploads.map(({ name }) => believed.has(name)),
    };
  }

  async stop(): Promise<void> {
    await Promise.all([this.server, this.balancer].map(({ program }) => program.stop()));
  }

  async #login(maxVersion: LedOptions['maxVersion']): Promise<Lane> {
    const others = new Set(sessionPids(this.server));
    const client = new Led(this.balancer.listener, this.options(maxVersion));
    await client.secure();
    await client.login(this.server);
    return { client, pids: sessionPids(this.server).filter((pid) => !others.has(pid)) };
  }

  /** By path. */
  #results(): Map<string, string> {
    const ended = this.balancer.lines().filter(({ event }) => event === 'ftp.transfer');
    return new Map(
      ended.map(({ path: name, result, code }) => [String(name), `${String(result)} ${String(code)}`]),
    );
  }
}
