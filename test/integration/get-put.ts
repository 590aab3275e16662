/** Runs get and put as src/cli.ts does, against an embedded server, with every stream in the hands of the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PassThrough, type Readable, Writable } from 'node:stream';
import { Command } from 'commander';
import { onTestFinished } from 'vitest';
import type { CliContext } from '../../src/cli/context.ts';
import { registerGet } from '../../src/cli/get.ts';
import { registerPut } from '../../src/cli/put.ts';
import type { Net } from '../../src/net/net.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import { type ServerOptions, TftpServer } from '../../src/tftp/server.ts';
import type { Store } from '../../src/tftp/store.ts';

/** A folder that goes when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'tftp-lb-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Serving {
  readonly server: TftpServer;
  readonly files: Map<string, Uint8Array>;
  /** `tftp://127.0.0.1:PORT/NAME` */
  readonly url: (name: string) => string;
}

/** A server on loopback with these files, or with a store of the test's own. */
export function serve(
  files: Record<string, Uint8Array> = {},
  options: Partial<ServerOptions> & { readonly address?: string; readonly store?: Store } = {},
): Serving {
  const { address = '127.0.0.1', ...rest } = options;
  const store = new MemoryStore(files, { overwrite: true });
  const server = new TftpServer(createNodeNet(), { at: { address, port: 0 }, store, dally: 100, ...rest });
  onTestFinished(() => server.close());
  const host = address.includes(':') ? `[${address}]` : address;
  return { server, files: store.files, url: (name) => `tftp://${host}:${server.port}/${name}` };
}

export interface RunOptions {
  readonly stdin?: Readable;
  /** Makes standard error a terminal. */
  readonly isTTY?: boolean;
  readonly signal?: AbortSignal;
  readonly net?: Net;
  /** In place of the stream that takes everything at once. */
  readonly stdout?: Writable;
}

export interface Ran {
  readonly stdout: Buffer;
  readonly stderr: string;
  /** What the command threw. */
  readonly error: unknown;
}

/** `tftp-lb ARGS`. Resolves whether the command fails or not. */
export async function tftpLb(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  const context: CliContext = {
    stdin: options.stdin ?? new PassThrough().end(),
    stdout: options.stdout ?? collecting(out),
    stderr: Object.assign(collecting(err), { isTTY: options.isTTY ?? false }),
    signal: options.signal ?? new AbortController().signal,
    net: () => options.net ?? createNodeNet(),
    finish: () => {},
  };
  const program = new Command('tftp-lb').exitOverride().configureOutput({ outputError: () => {} });
  registerGet(program, context);
  registerPut(program, context);
  const error: unknown = await program.parseAsync(args, { from: 'user' }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString(), error };
}

function collecting(chunks: Buffer[]): Writable {
  return new Writable({
    write: (chunk: Buffer, _, done) => {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
}
