/** The requests that change something: orders for backends, and a reload. */
import type { IncomingMessage } from 'node:http';

import type { Order } from '../health/orders.ts';
import { type Access, admit } from './admin-access.ts';
import { type Answer, bodyLength, data, text } from './admin-http.ts';
import type { Operator } from './operator.ts';

/** What a path asks for, once everything in it is understood. */
type Change =
  | { readonly kind: 'reload' }
  | { readonly kind: 'takeover'; readonly path: string }
  | { readonly kind: 'order'; readonly service: string; readonly backend: string; readonly order: Order };

/** Their forms, as users should read them. */
export const changePaths: readonly string[] = [
  '/backends/SERVICE/BACKEND/drain',
  '/backends/SERVICE/BACKEND/enable',
  '/backends/SERVICE/BACKEND/disable',
  '/backends/SERVICE/BACKEND/weight?value=N',
  '/-/reload',
  '/-/takeover?path=PATH',
];

const modes = { drain: 'draining', enable: 'enabled', disable: 'disabled' } as const;

/** Whether the path, without its query, is one of those that change something. */
export function isChangePath(path: string): boolean {
  return (
    path === '/-/reload' ||
    path === '/-/takeover' ||
    /^\/backends\/[^/]+\/[^/]+\/(drain|enable|disable|weight)$/.test(path)
  );
}

/** `request` is for a path of that kind. */
export async function answerChange(
  request: IncomingMessage,
  operator: Operator,
  access: Access,
): Promise<Answer> {
  if (request.method !== 'POST') return text(405, 'only POST\n', { allow: 'POST' });
  const admission = admit(request, access);
  if (admission.kind === 'turned-away') return admission.answer;
  if ((await bodyLength(request)) > 0) {
    return text(400, 'no body is expected, the path says it all\n');
  }
  const change = parseChange(request.url ?? '');
  if (typeof change === 'string') return text(400, `${change}\n`);
  if (change.kind === 'reload') return reload(operator, admission.by);
  if (change.kind === 'order') return obey(operator, change, admission.by);
  if (access.kind !== 'socket') return text(403, 'only over the admin socket\n');
  return handOver(operator, change.path, admission.by);
}

/** The change, or what is wrong with it. */
function parseChange(url: string): Change | string {
  const [path = '', query] = url.split('?', 2);
  if (path === '/-/reload') return { kind: 'reload' };
  if (path === '/-/takeover') return parseTakeover(query);
  const [, , service = '', backend = '', word = ''] = path.split('/');
  const order = word === 'weight' ? parseWeight(query) : parseMode(word);
  if (typeof order === 'string') return order;
  try {
    const names = { service: decodeURIComponent(service), backend: decodeURIComponent(backend) };
    return { kind: 'order', ...names, order };
  } catch {
    return 'a name with a percent sign that no two hexadecimal digits follow';
  }
}

function parseTakeover(query: string | undefined): Change | string {
  const path = new URLSearchParams(query).get('path') ?? '';
  return path.startsWith('/') ? { kind: 'takeover', path } : 'expected ?path=PATH with an absolute path';
}

function parseMode(word: string): Order | string {
  const [, mode] = Object.entries(modes).find(([known]) => known === word) ?? [];
  return mode === undefined ? `no such order: ${word}` : { kind: 'mode', mode };
}

function parseWeight(query: string | undefined): Order | string {
  const value = new URLSearchParams(query).get('value') ?? '';
  if (value === 'default') return { kind: 'weight', weight: undefined };
  const weight = /^[1-9]\d{0,2}$/.test(value) ? Number(value) : Infinity;
  return weight <= 256
    ? { kind: 'weight', weight }
    : 'expected ?value=N with N from 1 to 256, or ?value=default';
}

function obey(operator: Operator, change: Extract<Change, { kind: 'order' }>, by: string): Answer {
  const { service, backend: name, order } = change;
  const result = operator.order(service, name, order, by);
  if (result.kind === 'obeyed') {
    return data(200, { service, changed: result.changed, backend: result.backend });
  }
  return result.kind === 'unknown-service'
    ? text(404, `there is no service ${service}; there are ${listed(result.known)}\n`)
    : text(404, `service ${service} has no backend ${name}; it has ${listed(result.known)}\n`);
}

async function reload(operator: Operator, by: string): Promise<Answer> {
  const outcome = await operator.reload(by);
  if (outcome.kind === 'applied') return data(200, { reloaded: true, changes: outcome.changes });
  return data(422, { reloaded: false, faults: outcome.faults });
}

function handOver(operator: Operator, path: string, by: string): Answer {
  const outcome = operator.handOver(path, by);
  if (outcome.kind === 'begun') return data(200, { begun: true, pid: outcome.pid });
  return text(409, `${outcome.reason}\n`);
}

/** A service may have hundreds. */
function listed(names: readonly string[]): string {
  const most = 20;
  if (names.length === 0) return 'none';
  const more = names.length > most ? `, and ${names.length - most} more` : '';
  return `${names.slice(0, most).join(', ')}${more}`;
}
