/** What the orders of `tftp-lb ctl` do. */
import { parseDuration } from '../config/duration.ts';
import { CliError, ExitCode } from './context.ts';
import {
  type OrderAnswer,
  orderAnswer,
  reloadAnswer,
  type StatusAnswer,
  statusAnswer,
} from './ctl-answers.ts';
import { AdminClient, type ClientOptions } from './ctl-client.ts';
import { orderLine, reloadText, sessionsText, statusTable } from './ctl-report.ts';
import { pathOf, type Target, targetsIn, targetsNamed } from './ctl-targets.ts';
import { sessionsOf, waitUntilDrained } from './ctl-wait.ts';
import { type ServeContext, undrained } from './serve.ts';

export interface CtlOptions extends ClientOptions {
  readonly json?: true;
}

export interface DrainOptions extends CtlOptions {
  /** A duration, or true without one. */
  readonly wait?: string | true;
}

export class Ctl {
  readonly #context: ServeContext;
  readonly #client: AdminClient;
  readonly #isJson: boolean;

  /** Throws CliError. */
  constructor(context: ServeContext, options: CtlOptions) {
    this.#context = context;
    this.#client = new AdminClient(options, context.environment, context.signal);
    this.#isJson = options.json === true;
  }

  /** Of one server, or of all. Rejects with CliError, as the others do. */
  async status(name: string | undefined): Promise<void> {
    const status = await this.#status();
    const targets = name === undefined ? targetsIn(status) : targetsNamed(name, status);
    if (!this.#isJson) this.#print(statusTable(targets));
    else this.#printJson(name === undefined ? status : targets);
  }

  async order(name: string, change: string): Promise<void> {
    const obeyed = await this.#obey(name, change);
    this.#report(obeyed);
  }

  /** Waits for `timeout` milliseconds at most, and not at all if it is undefined. */
  async drain(name: string, timeout: number | undefined): Promise<void> {
    const obeyed = await this.#obey(name, 'drain');
    if (timeout === undefined) return this.#report(obeyed);
    const after = await waitUntilDrained(this.#client, obeyed, {
      timeout,
      signal: this.#context.signal,
      onProgress: (text) => void this.#context.stderr.write(text),
    });
    this.#report(after.map((target) => ({ ...target, changed: true })));
    const left = sessionsOf(after);
    if (left === 0) return;
    this.#context.stderr.write(`tftp-lb: not drained in time: ${sessionsText(left)} left\n`);
    this.#context.finish(undrained);
  }

  async reload(): Promise<void> {
    const answer = await this.#client.post('/-/reload', reloadAnswer);
    if (this.#isJson) this.#printJson(answer);
    else this.#print(reloadText(answer.changes));
  }

  async #obey(name: string, change: string): Promise<OrderAnswer[]> {
    const obeyed: OrderAnswer[] = [];
    for (const target of targetsNamed(name, await this.#status())) {
      obeyed.push(await this.#client.post(`${pathOf(target)}/${change}`, orderAnswer));
    }
    return obeyed;
  }

  #status(): Promise<StatusAnswer> {
    return this.#client.get('/status', statusAnswer);
  }

  #report(obeyed: readonly OrderAnswer[]): void {
    if (this.#isJson) this.#printJson(obeyed);
    else
      for (const { changed, ...target } of obeyed) this.#print(orderLine(target satisfies Target, changed));
  }

  #printJson(value: unknown): void {
    this.#print(`${JSON.stringify(value, undefined, 2)}\n`);
  }

  #print(text: string): void {
    this.#context.stdout.write(text);
  }
}

export interface DrainWish {
  readonly name: string;
  /** Milliseconds to wait, Infinity for ever; undefined not at all. */
  readonly timeout: number | undefined;
}

/**
 * What `drain [backend] --wait[=TIMEOUT]` says. In `--wait BACKEND` the name looks like the value of the option, and is
 * none. Throws CliError.
 */
export function drainWish(name: string | undefined, wait: string | true | undefined): DrainWish {
  const duration = typeof wait === 'string' ? parseDuration(wait) : undefined;
  const isValue = typeof wait === 'string' && (duration !== undefined || name !== undefined);
  const backend = name ?? (typeof wait === 'string' && !isValue ? wait : undefined);
  if (backend === undefined)
    throw new CliError(ExitCode.usage, 'which backend? [SERVICE/]BACKEND is missing');
  if (wait === undefined) return { name: backend, timeout: undefined };
  if (!isValue) return { name: backend, timeout: Infinity };
  if (duration === undefined) {
    throw new CliError(
      ExitCode.usage,
      `--wait ${JSON.stringify(wait)}: expected a duration such as 30s or 10m`,
    );
  }
  return { name: backend, timeout: duration };
}

/** The end of a path. Throws CliError for what no weight is. */
export function weightChange(text: string): string {
  if (text === 'default' || /^([1-9]\d?|1\d\d|2[0-4]\d|25[0-6])$/.test(text)) return `weight?value=${text}`;
  throw new CliError(
    ExitCode.usage,
    `weight ${JSON.stringify(text)}: expected a whole number from 1 to 256, or default; drain lets a backend have nothing`,
  );
}
