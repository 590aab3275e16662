/** An FTP session that goes on beside an attack. */
import { expect } from 'vitest';
import type { Balancer } from '../helpers/balancer.ts';
import type { FtpClient, Heard } from '../helpers/ftp-client.ts';
import { noise } from '../helpers/folders.ts';
import { upload } from '../helpers/ftp-transfers.ts';
import { loginTo, type RunningServer } from './ftp.ts';

/** More than all buffers on the way can hold. */
const long = noise(32_000_000, 'long');

export class Bystander {
  readonly #server: RunningServer;
  readonly #client: FtpClient;
  readonly #data: Heard;

  private constructor(server: RunningServer, client: FtpClient, data: Heard) {
    this.#server = server;
    this.#client = client;
    this.#data = data;
  }

  /** Is in the midst of a download, from 127.0.0.1. */
  static async start({ listener }: Balancer, server: RunningServer): Promise<Bystander> {
    server.server.files.set('long', long);
    const client = await loginTo(listener);
    const data = await client.connect(await client.epsv());
    data.socket.pause();
    expect(await client.ask('RETR long')).toBe('150 here it comes');
    return new Bystander(server, client, data);
  }

  /** Expects the rest of the download, and that an upload behind it goes well. */
  async expectUndisturbed(): Promise<void> {
    const { socket, ear } = this.#data;
    expect(ear.length).toBeLessThan(long.length);
    socket.resume();
    await this.#client.until('the end of data', () => ear.events.includes('end'));
    socket.end();
    expect(await this.#client.line()).toBe('226 done');
    expect(Buffer.concat(ear.chunks).equals(long)).toBe(true);
    await upload(this.#client, 'PASV', this.#server.server);
  }
}
