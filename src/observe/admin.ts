/** The admin endpoints: read-only HTTP for scrapers, orchestrators and operators. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import type { ListenerSpec } from '../engine/snapshot.ts';
import type { StatusSource } from './status.ts';

/** What the endpoints show. */
export interface AdminSources {
  readonly status: StatusSource;
  readonly metrics: { render(): Promise<{ readonly type: string; readonly text: string }> };
}

export interface AdminServer {
  readonly address: string;
  readonly port: number;
  /** Closes the listener and every connection. Idempotent. */
  close(): Promise<void>;
}

/** The admin endpoints cannot listen where they should. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
  readonly code = 'TLB_ERR_ADMIN';
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

/** Nobody who means well is slower; whoever is loses the connection (milliseconds). */
const patience = { headers: 5000, request: 10_000, idle: 5000 } as const;
/** Scrapers and probes are few. */
const maxConnections = 64;

const plain = 'text/plain; charset=utf-8';
const json = 'application/json; charset=utf-8';

/** Listens at `at`; port 0 lets the system choose. Rejects with AdminError. */
export async function startAdmin(at: ListenerSpec, sources: AdminSources): Promise<AdminServer> {
  const server = createServer(
    { headersTimeout: patience.headers, requestTimeout: patience.request, keepAliveTimeout: patience.idle },
    (request, response) => void respond(request, response, sources),
  );
  server.maxConnections = maxConnections;
  await listen(server, at);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  return { address: at.address, port, close: () => close(server) };
}

async function listen(server: Server, { address, port }: ListenerSpec): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  // It stays for later errors, as when descriptors run out: those cost a connection and not the process.
  server.on('error', (cause: NodeJS.ErrnoException) => reject(refusal(cause, address, port)));
  server.listen({ host: address, port, exclusive: true }, resolve);
  await promise;
}

function refusal(cause: NodeJS.ErrnoException, address: string, port: number): AdminError {
  const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
  const reason = reasons[cause.code ?? ''] ?? cause.message;
  return new AdminError(
    `the admin endpoints cannot listen on ${place}: ${reason}; choose another --admin ADDR:PORT, or --no-admin`,
    { cause },
  );
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this host does not have the address',
  EACCES: 'permission denied',
};

async function close(server: Server): Promise<void> {
  if (!server.listening) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  sources: AdminSources,
): Promise<void> {
  const { status, type, body } = await answerTo(request, sources);
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function answerTo(request: IncomingMessage, sources: AdminSources): Promise<Answer> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  const endpoint = endpoints.get(path);
  if (endpoint === undefined) return text(404, `not found; there are ${[...endpoints.keys()].join(', ')}\n`);
  if (request.method !== 'GET' && request.method !== 'HEAD') return text(405, 'only GET and HEAD\n');
  try {
    return await endpoint(sources);
  } catch (error) {
    return text(500, `${error instanceof Error ? error.message : String(error)}\n`);
  }
}

type Endpoint = (sources: AdminSources) => Answer | Promise<Answer>;

const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/healthz', () => text(200, 'ok\n')],
  ['/readyz', ({ status }) => readyz(status)],
  ['/status', ({ status }) => data(200, status.status())],
  ['/metrics', async ({ metrics }) => scrape(await metrics.render())],
]);

function readyz(source: StatusSource): Answer {
  const readiness = source.readiness();
  return data(readiness.ready ? 200 : 503, readiness);
}

function scrape({ type, text }: { readonly type: string; readonly text: string }): Answer {
  return { status: 200, type, body: text };
}

function data(status: number, value: unknown): Answer {
  return { status, type: json, body: `${JSON.stringify(value, undefined, 2)}\n` };
}

function text(status: number, body: string): Answer {
  return { status, type: plain, body };
}
