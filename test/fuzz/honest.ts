/** Peers of good will beside the hostile ones: they must not notice anything. */
import { expect } from 'vitest';
import { download, upload } from '../../src/tftp/client.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import { TftpServer } from '../../src/tftp/server.ts';
import { bytesOf, sinkInto, sourceOf } from '../helpers/content.ts';
import { backendAddress, type Lab, vip } from '../helpers/lab.ts';

/** As many blocks as keep a transfer going while much happens around it. */
const size = 20_000;
const files = Object.fromEntries(
  Array.from({ length: 6 }, (_, n) => [`file-${n}`, bytesOf([0, 1, 511, 512, 1_024, 5_000][n] ?? 0)]),
);

/** A server on backend `n`. */
export function honestServer(lab: Lab, n: number): TftpServer {
  const store = new MemoryStore({ ...files, honest: bytesOf(size) }, { overwrite: true });
  return new TftpServer(lab.backendHost(n), { at: { address: backendAddress(n), port: 69 }, store });
}

/** A client on a host of its own whose transfers must all go as if it were alone. */
export class HonestClient {
  readonly address: string;
  readonly #lab: Lab;
  readonly #host: ReturnType<Lab['net']['host']>;
  #running = 0;

  /** `number` sets it apart from others of its kind, 0 to 255. */
  constructor(lab: Lab, number: number) {
    this.#lab = lab;
    this.address = `10.5.0.${number}`;
    this.#host = lab.net.host([this.address]);
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  async read(): Promise<void> {
    this.#running += 1;
    const sink = sinkInto();
    const report = await download(this.#host, { ...this.#request(), file: 'honest' }, sink);
    this.#running -= 1;
    expect(sink.bytes()).toEqual(bytesOf(size));
    expect(report.repeats).toBe(0);
  }

  async write(): Promise<void> {
    this.#running += 1;
    const report = await upload(this.#host, { ...this.#request(), file: 'up' }, sourceOf(bytesOf(size)));
    this.#running -= 1;
    expect(report.repeats).toBe(0);
  }

  /** What the balancer says of its transfers. */
  expectResults(transfers: number): void {
    const own = this.#lab.ends.filter(({ client }) => client.startsWith(`${this.address}:`));
    expect(own.map(({ result, bytes }) => [result, bytes])).toEqual(
      Array.from({ length: transfers }, () => ['ok', size]),
    );
  }

  #request() {
    return {
      server: { address: vip, port: 69 },
      mode: 'octet' as const,
      options: {},
      retry: { timeout: 1_000, retries: 5 },
      dally: 0,
    };
  }
}
