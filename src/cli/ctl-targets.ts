/** Which backends an operator means by [SERVICE/]BACKEND. */
import { didYouMean } from '../config/suggest.ts';
import { CliError, ExitCode } from './context.ts';
import type { ShownBackend, StatusAnswer } from './ctl-answers.ts';

/** A backend of one service. */
export interface Target {
  readonly service: string;
  readonly backend: ShownBackend;
}

export function targetsIn(status: StatusAnswer): Target[] {
  return status.services.flatMap(({ name, backends }) =>
    backends.map((backend) => ({ service: name, backend })),
  );
}

/** Without a service, a server is meant with all that it serves. Throws CliError if there is none. */
export function targetsNamed(text: string, status: StatusAnswer): Target[] {
  const all = targetsIn(status);
  const found = all.filter((target) => text === nameOf(target) || text === target.backend.name);
  if (found.length > 0) return found;
  const known = all.flatMap((target) => [nameOf(target), target.backend.name]);
  throw new CliError(
    ExitCode.usage,
    `there is no backend ${text}${didYouMean(text, known) || '; tftp-lb ctl status shows those that there are'}`,
  );
}

export function nameOf({ service, backend }: Target): string {
  return `${service}/${backend.name}`;
}

/** Where changes of it are asked for. */
export function pathOf({ service, backend }: Target): string {
  return `/backends/${encodeURIComponent(service)}/${encodeURIComponent(backend.name)}`;
}
