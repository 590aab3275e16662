/** What the demo runs: two servers with the same files in temporary folders, and a balancer in front of them. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App } from '../app.ts';
import { loadConfig } from '../config/load.ts';
import type { Endpoint, Net } from '../net/net.ts';
import { formatEndpoint } from '../net/net.ts';
import type { Event, SessionEnd } from '../observe/events.ts';
import { createLogger } from '../observe/log.ts';
import { TftpServer } from '../tftp/server.ts';
import { FolderStore } from './transfer-store.ts';

const loopback = '127.0.0.1';
const names = ['alpha', 'beta'] as const;
/** Milliseconds. */
const reportPatience = 1_000;

export interface DemoServer {
  readonly name: string;
  readonly folder: string;
  readonly server: TftpServer;
}

/** Everything is on loopback and on ports that the system chooses. */
export class DemoLab {
  readonly net: Net;
  readonly servers: readonly DemoServer[];
  /** The reports of the sessions that have ended, by the name of the file. */
  readonly ends: Map<string, SessionEnd> = new Map();
  readonly #app: App;
  readonly #root: string;

  /** `files` is what both servers have. Throws NetError or the system's error. */
  constructor(net: Net, version: string, files: ReadonlyMap<string, Uint8Array>) {
    this.net = net;
    this.#root = mkdtempSync(join(tmpdir(), 'tftp-lb-demo-'));
    this.servers = names.map((name) => openServer(net, name, join(this.#root, name), files));
    this.#app = new App(configFor(this.servers), {
      net,
      version,
      log: createLogger('silent'),
      observer: (event) => this.#note(event),
    });
  }

  async start(): Promise<void> {
    await this.#app.start();
  }

  /** Where clients go. */
  get vip(): Endpoint {
    const [listener] = this.#app.listening();
    if (!listener) throw new Error('the balancer of the demo does not listen');
    return listener;
  }

  /** Where the metrics of the balancer are. */
  get metricsUrl(): string {
    const { address, port } = this.#app.admin ?? { address: loopback, port: 0 };
    return `http://${formatEndpoint(address, port)}/metrics`;
  }

  /** Resolves when the balancer has reported `count` sessions, or after a moment: its report follows the last packet. */
  async reported(count: number): Promise<void> {
    const deadline = this.net.now() + reportPatience;
    while (this.ends.size < count && this.net.now() < deadline) {
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
    await this.#app.stop();
    for (const { server } of this.servers) server.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  #note(event: Event): void {
    if (event.kind === 'session.end') this.ends.set(event.file, event);
  }
}

export function digest(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

export function randomContent(size: number): Uint8Array {
  return randomBytes(size);
}

function openServer(
  net: Net,
  name: string,
  folder: string,
  files: ReadonlyMap<string, Uint8Array>,
): DemoServer {
  mkdirSync(folder);
  for (const [file, content] of files) writeFileSync(join(folder, file), content);
  const server = new TftpServer(net, { at: { address: loopback, port: 0 }, store: new FolderStore(folder) });
  return { name, folder, server };
}

function configFor(servers: readonly DemoServer[]): ConstructorParameters<typeof App>[0] {
  const backend = servers.map(
    ({ name, server }) => `${formatEndpoint(server.address, server.port)},name=${name}`,
  );
  const flags = { vip: [loopback], ftp: false, tftpPort: '0', admin: `${loopback}:0`, tftpBackend: backend };
  const loaded = loadConfig(flags, {});
  if (loaded.kind === 'faulty') throw new Error(loaded.faults.map(({ problem }) => problem).join('; '));
  return loaded.config;
}
