/** HTTP as the admin endpoints need it: small answers, bounded requests, whoever dawdles is sent away. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Answering = (request: IncomingMessage) => Promise<Answer>;

/** Nobody who means well is slower; whoever is loses the connection (milliseconds). */
const patience = { headers: 5000, request: 10_000, answer: 10_000 } as const;
/** How often it is looked who has been too slow (milliseconds). */
const checkInterval = 1000;
/** Scrapers and probes are few. */
const maxConnections = 64;
/** Bytes of a body that are read; no request needs one. */
const maxBody = 4096;

/** A server that does not listen yet. What `answering` throws is answered with 500. */
export function createAdminServer(answering: Answering): Server {
  const server = createServer(
    {
      headersTimeout: patience.headers,
      requestTimeout: patience.request,
      connectionsCheckingInterval: checkInterval,
    },
    (request, response) => void respond(request, response, answering),
  );
  server.maxConnections = maxConnections;
  // Whoever sends a thousand requests ahead gets one answer, and so costs no more memory than that.
  server.maxRequestsPerSocket = 1;
  return server;
}

/** Closes the listener and every connection. Idempotent. */
export async function closeServer(server: Server): Promise<void> {
  if (!server.listening) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  await promise;
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  answering: Answering,
): Promise<void> {
  const { status, type, body, headers } = await answering(request).catch((error: unknown) =>
    text(500, `${error instanceof Error ? error.message : String(error)}\n`),
  );
  const tooSlow = setTimeout(() => request.socket.destroy(), patience.answer);
  response.once('close', () => clearTimeout(tooSlow));
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    connection: 'close',
    ...headers,
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

/** Bytes of the body, read to its end or until they are too many. */
export async function bodyLength(request: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const part of request) {
    length += Buffer.byteLength(part);
    if (length > maxBody) break;
  }
  return length;
}

export function data(status: number, value: unknown): Answer {
  const type = 'application/json; charset=utf-8';
  return { status, type, body: `${JSON.stringify(value, undefined, 2)}\n` };
}

export function text(status: number, body: string, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, type: 'text/plain; charset=utf-8', body, headers };
}
