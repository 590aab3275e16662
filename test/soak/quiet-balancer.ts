/** A balancer of the Linux engine as a process that logs nothing of its transfers, for as many as there may be. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { residentOf } from '../../bench/run/accounting.ts';
import { formatEndpoint, type Endpoint } from '../../src/net/net.ts';
import type { Status } from '../../src/observe/status.ts';
import { Program, until } from '../helpers/processes.ts';
import { freePort, ownLoopback } from '../helpers/sockets.ts';

const source = path.join(import.meta.dirname, '../../src/cli.ts');
/** Milliseconds until the last session is gone: longer than the longest dallying. */
const patience = 60_000;

export class QuietBalancer {
  readonly listener: Endpoint;
  readonly #program: Program;
  readonly #admin: string;

  private constructor(
    listener: Endpoint,
    admin: string,
    backends: readonly Endpoint[],
    flags: readonly string[],
  ) {
    this.listener = listener;
    this.#admin = admin;
    const args = [
      source,
      '--engine=linux',
      '--workers=2',
      '--log-level=warn',
      '--no-ftp',
      '--health-interval=0',
      `--vip=${listener.address}`,
      `--tftp-port=${listener.port}`,
      `--admin=${admin}`,
      ...backends.map(({ address, port }) => `--backend=${formatEndpoint(address, port)}`),
      ...flags,
    ];
    this.#program = new Program({ program: process.execPath, env: {} }, args);
  }

  /** Resolves when it serves. */
  static async start(backends: readonly Endpoint[], flags: readonly string[]): Promise<QuietBalancer> {
    // Nobody else is likely to take a port of this address meanwhile.
    const address = ownLoopback();
    const listener = { address, port: await freePort(address) };
    const balancer = new QuietBalancer(listener, `${address}:${await freePort(address)}`, backends, flags);
    await until('the balancer is ready', () => balancer.#isReady());
    return balancer;
  }

  async status(): Promise<Status> {
    return (await fetch(`http://${this.#admin}/status`)).json() as Promise<Status>;
  }

  /** Waits until it has no session any longer. */
  async idle(): Promise<void> {
    const isIdle = async (): Promise<true | undefined> =>
      (await this.status()).services.every(({ sessions }) => sessions === 0) || undefined;
    await until('all sessions are gone', isIdle, patience);
  }

  /** Bytes in memory. */
  get resident(): number {
    return residentOf(this.#program.pid ?? 0);
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#program.pid}/fd`).length;
  }

  async #isReady(): Promise<true | undefined> {
    const { exit } = this.#program;
    if (exit !== undefined) throw new Error(`the balancer ended:\n${exit.stdout}${exit.stderr}`);
    try {
      return (await fetch(`http://${this.#admin}/readyz`)).ok || undefined;
    } catch {
      return undefined;
    }
  }
}
