/** A client of FTP that has session after session, each with a few transfers. */
import { Readable, Writable } from 'node:stream';
import { Client } from 'basic-ftp';
import { formatEndpoint } from '../../src/net/net.ts';
import type { Noise } from '../fuzz/noise.ts';
import { type ChaosClient, failed, type Load, type Outcome, received, type Task } from './chaos-attempts.ts';
import { login } from './chaos-servers.ts';

/** Milliseconds: longer than any server is stopped, so that it is never the client who loses its patience. */
const patience = 20_000;
/** In one session, at most. */
const transfers = 4;

export class FtpClient implements ChaosClient {
  readonly #load: Load;
  readonly #noise: Noise;

  constructor(load: Load, noise: Noise) {
    this.#load = load;
    this.#noise = noise;
  }

  async attempt(): Promise<Outcome> {
    return new Session(this.#load).run(this.#noise, this.#noise.int(1, transfers));
  }
}

class Session {
  readonly #load: Load;
  readonly #client = new Client(patience);
  #address = '';

  constructor(load: Load) {
    this.#load = load;
  }

  /** The first transfer that fails is the last one. */
  async run(noise: Noise, transfers: number): Promise<Outcome> {
    let outcome: Outcome = { kind: 'done' };
    for (let count = 0; count < transfers && outcome.kind === 'done'; count += 1) {
      const task = this.#load.task(noise);
      outcome = await this.#transfer(task, count === 0).catch(failed);
      this.#load.record(task, outcome, { client: this.#address, requests: 1 });
    }
    this.#client.close();
    return outcome;
  }

  async #transfer(task: Task, isFirst: boolean): Promise<Outcome> {
    if (isFirst) await this.#open();
    if (task.op === 'write') {
      await this.#client.uploadFrom(Readable.from([task.content]), task.file);
      return { kind: 'done' };
    }
    const parts: Uint8Array[] = [];
    const sink = new Writable({
      write: (part: Uint8Array, _encoding, done) => {
        parts.push(part);
        done();
      },
    });
    await this.#client.downloadTo(sink, task.file);
    return received(task.content, Buffer.concat(parts));
  }

  async #open(): Promise<void> {
    const { address, port } = this.#load.listener;
    const connected = this.#client.connect(address, port);
    const { socket } = this.#client.ftp;
    socket.once('connect', () => {
      this.#address = formatEndpoint(socket.localAddress ?? '', socket.localPort ?? 0);
    });
    await connected;
    await this.#client.login(login.user, login.password);
    await this.#client.send('TYPE I');
  }
}
