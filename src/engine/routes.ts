import type { Backend } from '../balance/pool.ts';
import type { Operation } from '../observe/events.ts';
import { GlobSet } from './file-filter.ts';
import type { Route } from './snapshot.ts';

/** What stands for a request that no route is for. */
export const noRoute = -1;

/** Finds the route of a request: the first that is for it. */
export class RouteTable {
  readonly #routes: readonly { readonly route: Route; readonly names: GlobSet | undefined }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, names: route.files && new GlobSet(route.files) }));
  }

  /** The place of the route, or `noRoute`. `name` comes from plainName. */
  find(op: Operation, name: string): number {
    return this.#routes.findIndex(
      ({ route, names }) => (route.op ?? op) === op && (names?.matches(name) ?? true),
    );
  }

  /** What the backends of a route are asked for in place of `file`, one character a byte. */
  rewritten(place: number, file: string, client: string): string {
    const pattern = this.#routes[place]?.route.rewrite;
    return pattern === undefined ? file : rewrite(pattern, file, client);
  }
}

/** Whether the backend is one of those that a route names. */
export function serves({ backends }: Pick<Route, 'backends'>, { name }: Backend): boolean {
  // Where a host name has several addresses, each is a backend of its own, called name@address.
  return backends?.some((given) => name === given || name.startsWith(`${given}@`)) ?? true;
}

/**
 * The pattern with `{client_ip}` for the client's address, without a zone, and `{name}` for the file, without slashes at its
 * front, so that a folder can stand before it.
 */
function rewrite(pattern: string, file: string, client: string): string {
  const address = client.replace(/%.*$/, '');
  const name = file.replace(/^[/\\]+/, '');
  const bytes = Buffer.from(pattern).toString('latin1');
  return bytes.replaceAll(/\{(client_ip|name)\}/g, (_, word) => (word === 'name' ? name : address));
}
