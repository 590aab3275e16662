/** Requests to the admin endpoints of a running balancer, over its socket or by URL. */
import { existsSync } from 'node:fs';
import { type ClientRequest, request as plainRequest, type RequestOptions } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { userInfo } from 'node:os';

import type { z } from 'zod';

import { readFirstLine } from '../config/bounded-file.ts';
import type { Environment } from '../config/sources.ts';
import { userHeader } from '../observe/admin-access.ts';
import { defaultSocketPath, systemSocketPath } from '../observe/runtime-folder.ts';
import { CliError, ExitCode } from './context.ts';
import { refusalAnswer } from './ctl-answers.ts';

/** Where the balancer is asked: at most one of socket and URL. */
export interface ClientOptions {
  readonly adminSocket?: string;
  readonly url?: string;
  readonly adminTokenFile?: string;
}

/** Milliseconds of silence; a reload may look up names before it answers. */
const patience = 60_000;
/** A balancer of a thousand backends says less (bytes). */
const maxAnswer = 16_777_216;

export class AdminClient {
  readonly #environment: Environment;
  readonly #signal: AbortSignal;
  /** Of every request. */
  readonly #target: RequestOptions;
  readonly #base: URL | undefined;
  /** As users know it. */
  readonly #place: string;

  /** Throws CliError. */
  constructor(options: ClientOptions, environment: Environment, signal: AbortSignal) {
    this.#environment = environment;
    this.#signal = signal;
    if (options.adminSocket !== undefined && options.url !== undefined) {
      throw new CliError(ExitCode.usage, '--admin-socket and --url exclude each other');
    }
    this.#base = options.url === undefined ? undefined : parseUrl(options.url);
    const socketPath = options.adminSocket ?? findSocket(environment);
    this.#place = this.#base?.href ?? socketPath;
    this.#target = {
      ...(this.#base ? {} : { socketPath }),
      headers: {
        [userHeader]: this.#user(),
        ...(options.adminTokenFile === undefined
          ? {}
          : { authorization: `Bearer ${tokenIn(options.adminTokenFile)}` }),
      },
    };
  }

  /** What is there, if it has the form `answer`. Rejects with CliError. */
  async get<T>(path: string, answer: z.ZodType<T>): Promise<T> {
    return this.#ask('GET', path, answer);
  }

  /** Asks for a change. */
  async post<T>(path: string, answer: z.ZodType<T>): Promise<T> {
    return this.#ask('POST', path, answer);
  }

  async #ask<T>(method: 'GET' | 'POST', path: string, answer: z.ZodType<T>): Promise<T> {
    const { status, body } = await this.#exchange(method, path).catch((error: unknown) => {
      throw this.#failureOf(error);
    });
    const value = jsonIn(body);
    if (status !== 200) {
      const exitCode = status === 404 || status === 400 ? ExitCode.usage : ExitCode.failed;
      throw new CliError(
        exitCode,
        faultsIn(value) ?? (body.trim() || `the balancer answers with status ${status}`),
      );
    }
    const { success, data } = answer.safeParse(value);
    if (success) return data;
    throw new CliError(ExitCode.failed, `what answers at ${this.#place} is no tftp-lb, or another version`);
  }

  async #exchange(method: string, path: string): Promise<{ status: number; body: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
    const request = this.#open(method, path);
    request.on('error', reject);
    request.setTimeout(patience, () => request.destroy(new Error('no answer in time')));
    request.on('response', (response) => {
      const parts: Buffer[] = [];
      let length = 0;
      response.on('error', reject);
      response.on('data', (part: Buffer) => {
        parts.push(part);
        length += part.length;
        if (length > maxAnswer) request.destroy(new Error('the answer is too long'));
      });
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString('utf8') }),
      );
    });
    request.end();
    return promise;
  }

  #open(method: string, path: string): ClientRequest {
    const options = { ...this.#target, method, signal: this.#signal };
    if (!this.#base) return plainRequest({ ...options, path });
    const url = new URL(path.slice(1), this.#base);
    return url.protocol === 'https:' ? tlsRequest(url, options) : plainRequest(url, options);
  }

  #failureOf(error: unknown): CliError {
    if (this.#signal.aborted) return new CliError(ExitCode.failed, 'interrupted', { cause: error });
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const known = this.#base ? undefined : socketFailures[code];
    const reason = error instanceof Error ? error.message : String(error);
    const text = known?.(this.#place) ?? `the balancer cannot be asked at ${this.#place}: ${reason}`;
    return new CliError(ExitCode.failed, text, { cause: error });
  }

  /** UTF-8, one character a byte: what a header has room for. */
  #user(): string {
    const name = this.#environment['SUDO_USER'] ?? ownName();
    return Buffer.from(name, 'utf8')
      .toString('latin1')
      .replaceAll(/[^\x20-\x7e\x80-\xff]/g, '');
  }
}

const socketFailures: Readonly<Record<string, (place: string) => string>> = {
  ENOENT: (place) =>
    `there is no admin socket at ${place}: is the balancer running? --admin-socket says where it is if not there`,
  ECONNREFUSED: (place) => `nobody listens at the admin socket ${place} any more: is the balancer running?`,
  EACCES: (place) =>
    `no permission to open the admin socket ${place}: run this as the user of the balancer, or as root`,
};

/** Undefined if it is none. */
function jsonIn(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** Errors are text, but for the faults that a reload was refused for. */
function faultsIn(value: unknown): readonly string[] | undefined {
  return refusalAnswer.safeParse(value).data?.faults;
}

/**
 * The one of this user, or else that of the system's service. The balancer's own variable says where it is to whoever
 * asks from its environment, as in a container.
 */
export function findSocket(environment: Environment): string {
  const said = environment['TFTP_LB_ADMIN_SOCKET'] ?? '';
  if (said.startsWith('/')) return said;
  const own = defaultSocketPath(environment, process.getuid?.());
  return own !== undefined && (existsSync(own) || !existsSync(systemSocketPath)) ? own : systemSocketPath;
}

function ownName(): string {
  try {
    return userInfo().username;
  } catch {
    // Containers run as users that nobody has given a name.
    return `user ${process.getuid?.() ?? 'unknown'}`;
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new CliError(
      ExitCode.usage,
      `--url ${JSON.stringify(text)}: expected http://HOST:PORT or https://HOST:PORT`,
    );
  }
  return new URL(url.href.endsWith('/') ? url.href : `${url.href}/`);
}

function tokenIn(path: string): string {
  try {
    return readFirstLine(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CliError(ExitCode.usage, `cannot read --admin-token-file: ${reason}`, { cause });
  }
}
