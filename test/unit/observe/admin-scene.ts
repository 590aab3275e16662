/** The admin endpoints in front of a balancer that only notes what it is asked. */
import { request } from 'node:http';
import { onTestFinished } from 'vitest';
import type { Access } from '../../../src/observe/admin-access.ts';
import { type AdminServer, type AdminSources, startAdmin } from '../../../src/observe/admin.ts';
import type { Operator, OrderResult } from '../../../src/observe/operator.ts';
import type { BackendStatus, Readiness, Status } from '../../../src/observe/status.ts';

const engine = { name: 'linux', reason: 'it was asked for' } as const;
export const status: Status = {
  version: '1.2.3',
  engine,
  uptime: 12.5,
  draining: false,
  workers: [],
  services: [],
};
export const ready: Readiness = {
  ready: true,
  reasons: [],
  services: [{ service: 'tftp', ready: true, reasons: [] }],
};

export function backendStatus(fields: Partial<BackendStatus> = {}): BackendStatus {
  return {
    name: 'one',
    address: '192.0.2.11',
    port: 69,
    state: 'up',
    weight: 1,
    configuredWeight: 1,
    effectiveWeight: 1,
    operator: 'enabled',
    up: true,
    enabled: true,
    ejected: false,
    sessions: 0,
    bytesToClient: 0,
    bytesToBackend: 0,
    datagramsToClient: 0,
    datagramsToBackend: 0,
    ...fields,
  };
}

/** Has one service `tftp` with one backend `one`. */
export class NotingOperator implements Operator {
  readonly asked: unknown[][] = [];
  reload: Operator['reload'] = async () => ({ kind: 'applied', changes: [] });

  handOver: Operator['handOver'] = () => ({ kind: 'begun', pid: 1 });

  order(...asked: Parameters<Operator['order']>): OrderResult {
    const [service, backend] = asked;
    if (service !== 'tftp') return { kind: 'unknown-service', known: ['tftp'] };
    if (backend !== 'one' && backend !== '[2001:db8::11]:69') {
      return { kind: 'unknown-backend', known: Array.from({ length: 30 }, (_, n) => `b${n}`) };
    }
    this.asked.push(asked);
    return { kind: 'obeyed', changed: true, backend: backendStatus() };
  }
}

export function sourcesFor(operator: Operator = new NotingOperator()): AdminSources {
  return {
    status: { readiness: () => ready, status: () => status },
    metrics: { render: async () => ({ type: 'text/plain; version=0.0.4', text: 'up 1\n' }) },
    operator,
  };
}

/** On a loopback port; closed when the test ends. */
export async function open(sources: AdminSources, access: Access): Promise<AdminServer> {
  const server = await startAdmin({ address: '127.0.0.1', port: 0 }, sources, () => access);
  onTestFinished(() => server.close());
  return server;
}

export interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Over TCP, or over a unix socket. */
export type Place = { readonly port: number } | { readonly socketPath: string };

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request, with headers that fetch would not let through. */
export async function ask(
  place: Place,
  path: string,
  { method = 'POST', headers = {}, body = '' }: Asking = {},
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  const asking = request({ ...place, host: '127.0.0.1', agent: false, path, method, headers }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => (text += part));
    response.on('error', reject);
    response.on('end', () =>
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
    );
  });
  asking.on('error', reject);
  asking.end(body);
  return promise;
}
