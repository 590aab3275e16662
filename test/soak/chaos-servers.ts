/** Real servers that can be killed, stopped and started again at their places, and the files that they serve. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Endpoint } from '../../src/net/net.ts';
import { startServer } from '../helpers/daemons.ts';
import { startFtpServer } from '../helpers/ftp-daemons.ts';
import type { Program } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';

export class ChaosServer {
  readonly name: string;
  readonly at: Endpoint;
  readonly root: string;
  #program: Program;

  constructor(name: string, server: Endpoint & { readonly root: string; readonly program: Program }) {
    this.name = name;
    this.at = { address: server.address, port: server.port };
    this.root = server.root;
    this.#program = server.program;
  }

  /** With all of its sessions. */
  kill(): void {
    this.#program.signal('SIGKILL');
  }

  /** It keeps its sockets and says nothing. */
  pause(): void {
    this.#program.signal('SIGSTOP');
  }

  resume(): void {
    this.#program.signal('SIGCONT');
  }

  /** Once it has ended. */
  async restart(): Promise<void> {
    await this.#program.ended;
    this.#program = this.#program.again();
  }

  /** What it has under that name; undefined if nothing. */
  read(file: string): Buffer | undefined {
    try {
      return readFileSync(path.join(this.root, file));
    } catch {
      return undefined;
    }
  }
}

export interface ChaosServers {
  readonly tftp: readonly ChaosServer[];
  readonly ftp: readonly ChaosServer[];
}

/** Whoever logs in to any of the FTP servers. */
export const login = { user: 'anonymous', password: 'secret' } as const;

/** Those of TFTP that have written an upload to its file before they acknowledge its end: a kill may follow at once. */
export const uploadServers: readonly string[] = ['hpa-1', 'hpa-2'];

export async function startServers(): Promise<ChaosServers> {
  const tftp = [
    new ChaosServer('hpa-1', await startServer('tftpd-hpa', ownLoopback())),
    new ChaosServer('hpa-2', await startServer('tftpd-hpa', ownLoopback())),
    new ChaosServer('atftpd', await startServer('atftpd', ownLoopback())),
  ];
  const ftp = [
    new ChaosServer('vsftpd-1', await startFtpServer('vsftpd')),
    new ChaosServer('vsftpd-2', await startFtpServer('vsftpd')),
    new ChaosServer('pyftpdlib', await startFtpServer('pyftpdlib', ownLoopback(), login.user)),
  ];
  return { tftp, ftp };
}
