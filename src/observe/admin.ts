/** The admin endpoints: HTTP for scrapers, orchestrators and operators, over TCP and over a unix socket. */
import type { IncomingMessage, Server } from 'node:http';

import type { ListenerSpec } from '../engine/snapshot.ts';
import type { Access } from './admin-access.ts';
import { answerChange, changePaths, isChangePath } from './admin-changes.ts';
import { type Answer, closeServer, createAdminServer, data, text } from './admin-http.ts';
import type { Operator } from './operator.ts';
import type { StatusSource } from './status.ts';

/** What the endpoints show, and who is asked for changes. */
export interface AdminSources {
  readonly status: StatusSource;
  readonly metrics: { render(): Promise<{ readonly type: string; readonly text: string }> };
  readonly operator: Operator;
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

/** Listens at `at`; port 0 lets the system choose. `access` is asked for each request. Rejects with AdminError. */
export async function startAdmin(
  at: ListenerSpec,
  sources: AdminSources,
  access: () => Access,
): Promise<AdminServer> {
  const server = serverFor(sources, access);
  await listen(server, at);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  return { address: at.address, port, close: () => closeServer(server) };
}

/** The same endpoints, listening nowhere yet. */
export function serverFor(sources: AdminSources, access: () => Access): Server {
  return createAdminServer((request) => answerTo(request, sources, access()));
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

async function answerTo(request: IncomingMessage, sources: AdminSources, access: Access): Promise<Answer> {
  const [path = ''] = (request.url ?? '').split('?', 1);
  if (isChangePath(path)) return answerChange(request, sources.operator, access);
  const endpoint = endpoints.get(path);
  if (endpoint === undefined) return text(404, unknownPath);
  if (request.method === 'GET' || request.method === 'HEAD') return endpoint(sources);
  return text(405, 'only GET and HEAD\n', { allow: 'GET, HEAD' });
}

type Endpoint = (sources: AdminSources) => Answer | Promise<Answer>;

const endpoints: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ['/healthz', () => text(200, 'ok\n')],
  ['/readyz', ({ status }) => readyz(status)],
  ['/status', ({ status }) => data(200, status.status())],
  ['/metrics', async ({ metrics }) => scrape(await metrics.render())],
]);

const unknownPath = `not found; there are ${[...endpoints.keys(), ...changePaths.map((path) => `POST ${path}`)].join(', ')}\n`;

function readyz(source: StatusSource): Answer {
  const readiness = source.readiness();
  return data(readiness.ready ? 200 : 503, readiness);
}

function scrape({ type, text }: { readonly type: string; readonly text: string }): Answer {
  return { status: 200, type, body: text };
}
