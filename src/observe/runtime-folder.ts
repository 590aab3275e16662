import path from 'node:path';

const own = 'tftp-lb';
const file = 'admin.sock';

/**
 * Where the admin socket is if nobody says: in the folder that systemd gives the service, in /run for root, else in the
 * user's own runtime folder. Undefined where there is none.
 */
export function defaultSocketPath(
  environment: Readonly<Record<string, string | undefined>>,
  userId: number | undefined,
): string | undefined {
  // Several RuntimeDirectory= stand in the order of the unit.
  const [given = ''] = (environment['RUNTIME_DIRECTORY'] ?? '').split(':', 1);
  if (path.isAbsolute(given)) return path.join(given, file);
  if (userId === 0) return systemSocketPath;
  const runtime = environment['XDG_RUNTIME_DIR'] ?? '';
  return path.isAbsolute(runtime) ? path.join(runtime, own, file) : undefined;
}

/** Where the socket of a balancer is that runs as a service of the system. */
export const systemSocketPath: string = path.join('/run', own, file);
