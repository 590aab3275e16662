/** What `tftp-lb ctl` tells people; programs get JSON. */
import { formatEndpoint } from '../net/net.ts';
import type { ShownBackend } from './ctl-answers.ts';
import { nameOf, type Target } from './ctl-targets.ts';
import { formatTable } from './table.ts';

export function statusTable(targets: readonly Target[]): string {
  const rows = targets.map(({ service, backend }) => [
    service,
    backend.name,
    formatEndpoint(backend.address, backend.port),
    backend.state,
    backend.up ? 'up' : 'down',
    weightText(backend),
    String(backend.sessions),
  ]);
  return formatTable([['service', 'backend', 'address', 'state', 'health', 'weight', 'sessions'], ...rows]);
}

/** What has become of an order. */
export function orderLine(target: Target, changed: boolean): string {
  const { state, sessions } = target.backend;
  const rest = sessions > 0 ? `, ${sessionsText(sessions)}` : '';
  return `${nameOf(target)}: ${state}, weight ${weightText(target.backend)}${rest}${changed ? '' : ' (as before)'}\n`;
}

/** Of a configuration that is in force now. */
export function reloadText(changes: readonly string[]): string {
  return changes.length === 0
    ? 'reloaded, nothing has changed\n'
    : `reloaded\n${changes.map((line) => `  ${line}\n`).join('')}`;
}

export function sessionsText(count: number): string {
  return count === 1 ? '1 session' : `${count} sessions`;
}

function weightText({ weight, configuredWeight, effectiveWeight }: ShownBackend): string {
  const notes = [
    ...(weight === configuredWeight ? [] : [`configured ${configuredWeight}`]),
    ...(effectiveWeight === weight ? [] : [`now ${Math.round(effectiveWeight * 100) / 100}`]),
  ];
  return notes.length === 0 ? String(weight) : `${weight} (${notes.join(', ')})`;
}
