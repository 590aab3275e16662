/** What the demo runs: two servers with the same files in temporary folders, and a balancer in front of them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { App } from '../app.ts';
import { loadConfig } from '../config/load.ts';
import type { Endpoint, Net } from '../net/net.ts';
import { formatEndpoint } from '../net/net.ts';
import type { Event, FtpTransfer, SessionEnd } from '../observe/events.ts';
import { createLogger } from '../observe/log.ts';
import { TftpServer } from '../tftp/server.ts';
import { DemoFtpServers } from './demo-ftp-servers.ts';
import { FolderStore } from './transfer-store.ts';

const loopback = '127.0.0.1';
const names = ['alpha', 'beta'] as const;
/** Milliseconds. */
const reportPatience = 1_000;

export type Protocol = 'tftp' | 'ftp';

export interface DemoServer {
  readonly name: string;
  readonly folder: string;
  readonly tftp: TftpServer;
  /** Undefined where there is no package to serve FTP with. */
  readonly ftp: Endpoint | undefined;
}

/** Everything is on loopback and on ports that the system chooses. */
export class DemoLab {
  readonly net: Net;
  /** The reports of the TFTP sessions that have ended, by the name of the file. */
  readonly ends: Map<string, SessionEnd> = new Map();
  readonly #ftpEnds = new Map<string, FtpTransfer>();
  readonly #version: string;
  readonly #root: string = mkdtempSync(join(tmpdir(), 'tftp-lb-demo-'));
  #ftpServers: DemoFtpServers | undefined;
  #servers: readonly DemoServer[] = [];
  #app: App | undefined;

  /** Throws the system's error. */
  constructor(net: Net, version: string) {
    this.net = net;
    this.#version = version;
  }

  /**
   * `files` is what both servers have, by their paths. Rejects with what is in the way; `close` has to be called then
   * too.
   */
  async start(files: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const { net } = this;
    const folders = names.map((name) => join(this.#root, name));
    for (const folder of folders) fill(folder, files);
    this.#ftpServers = await DemoFtpServers.open({ folders, address: loopback });
    const ftp = this.#ftpServers?.endpoints ?? [];
    this.#servers = names.map((name, index) => ({
      name,
      folder: join(this.#root, name),
      tftp: openTftp(net, join(this.#root, name)),
      ftp: ftp[index],
    }));
    this.#app = new App(configFor(this.#servers), {
      net,
      version: this.#version,
      log: createLogger('silent'),
      observer: (event) => this.#note(event),
    });
    await this.#app.start();
  }

  get servers(): readonly DemoServer[] {
    return this.#servers;
  }

  get hasFtp(): boolean {
    return this.#ftpServers !== undefined;
  }

  /** Where clients go. */
  vip(protocol: Protocol): Endpoint {
    const [listener] = this.#app?.listening(protocol) ?? [];
    if (!listener) throw new Error(`the balancer of the demo does not listen for ${protocol}`);
    return listener;
  }

  /** Where the metrics of the balancer are. */
  get metricsUrl(): string {
    const { address, port } = this.#app?.admin ?? { address: loopback, port: 0 };
    return `http://${formatEndpoint(address, port)}/metrics`;
  }

  /** The report of an FTP transfer, by its session's `address:port` and its command. */
  ftpEnd(client: string | undefined, command: string): FtpTransfer | undefined {
    return this.#ftpEnds.get(`${client} ${command}`);
  }

  /** Resolves when the balancer has reported `count` transfers, or after a moment: its report follows the last packet. */
  async reported(count: number): Promise<void> {
    const deadline = this.net.now() + reportPatience;
    while (this.ends.size + this.#ftpEnds.size < count && this.net.now() < deadline) {
      await new Promise<void>((resolve) => this.net.setTimer(10, resolve));
    }
  }

  /** The SHA-256 of an uploaded file on the server that has it, in hex; undefined where none has. */
  uploaded(file: string): string | undefined {
    for (const { folder } of this.servers) {
      try {
        return digest(readFileSync(join(folder, file)));
      } catch {
        // The other server has it, or none.
      }
    }
    return undefined;
  }

  async close(): Promise<void> {
    await this.#app?.stop();
    for (const { tftp } of this.servers) tftp.close();
    await this.#ftpServers?.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #note(event: Event): void {
    if (event.kind === 'session.end') this.ends.set(event.file, event);
    if (event.kind === 'ftp.transfer') this.#ftpEnds.set(`${event.client} ${event.command}`, event);
  }
}

export function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function randomContent(size: number): Uint8Array {
  return randomBytes(size);
}

function fill(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(folder);
  for (const [file, content] of files) {
    const path = join(folder, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
}

function openTftp(net: Net, folder: string): TftpServer {
  return new TftpServer(net, { at: { address: loopback, port: 0 }, store: new FolderStore(folder) });
}

function configFor(servers: readonly DemoServer[]): ConstructorParameters<typeof App>[0] {
  const ftpBackend = servers.flatMap(({ name, ftp }) => (ftp ? [backendOf(name, ftp)] : []));
  const flags = {
    vip: [loopback],
    tftpPort: '0',
    ftpPort: '0',
    admin: `${loopback}:0`,
    tftpBackend: servers.map(({ name, tftp }) => backendOf(name, tftp)),
    ...(ftpBackend.length > 0 ? { ftpBackend } : { ftp: false }),
  };
  const loaded = loadConfig(flags, {});
  if (loaded.kind === 'faulty') throw new Error(loaded.faults.map(({ problem }) => problem).join('; '));
  return loaded.config;
}

function backendOf(name: string, { address, port }: Endpoint): string {
  return `${formatEndpoint(address, port)},name=${name}`;
}
