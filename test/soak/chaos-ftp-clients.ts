/** Clients of FTP: session after session, each with a few transfers. */
import { Readable, Writable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'basic-ftp';
import { formatEndpoint } from '../../src/net/net.ts';
import type { Noise } from '../fuzz/noise.ts';
import { failed, type Load, type Outcome, received, type Task } from './chaos-attempts.ts';
import { login } from './chaos-servers.ts';

/** Milliseconds: longer than any server is stopped, so that it is never the client who loses its patience. */
const patience = 20_000;
const pause = 60;

/** Resolves when the load is over and the last session has ended. */
export async function ftpClient(load: Load, noise: Noise): Promise<void> {
  while (!load.isOver) {
    const session = new Session(load, noise);
    await session.run(noise.int(1, 4));
    await sleep(noise.int(0, pause));
  }
}

class Session {
  readonly #load: Load;
  readonly #noise: Noise;
  readonly #client = new Client(patience);
  #address = '';

  constructor(load: Load, noise: Noise) {
    this.#load = load;
    this.#noise = noise;
  }

  /** The first transfer that fails is the last one. */
  async run(transfers: number): Promise<void> {
    let outcome: Outcome = { kind: 'done' };
    for (let count = 0; count < transfers && outcome.kind === 'done'; count += 1) {
      const task = this.#load.task(this.#noise);
      outcome = await this.#attempt(task, count === 0).catch(failed);
      this.#load.record(task, outcome, this.#address);
    }
    this.#client.close();
  }

  async #attempt(task: Task, isFirst: boolean): Promise<Outcome> {
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
