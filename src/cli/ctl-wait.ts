/** Waits until backends have no session left. */
import { setTimeout as sleep } from 'node:timers/promises';

import { statusAnswer } from './ctl-answers.ts';
import type { AdminClient } from './ctl-client.ts';
import { sessionsText } from './ctl-report.ts';
import { nameOf, type Target, targetsIn } from './ctl-targets.ts';

/** Milliseconds between two looks. */
const beat = 250;

export interface Waiting {
  /** Milliseconds; Infinity waits for ever. */
  readonly timeout: number;
  readonly signal: AbortSignal;
  /** Hears how many are left, whenever that has changed. */
  readonly onProgress: (text: string) => void;
}

/** How the targets stand in the end; sessions are left where the time was over. Rejects with CliError. */
export async function waitUntilDrained(
  client: AdminClient,
  targets: readonly Target[],
  { timeout, signal, onProgress }: Waiting,
): Promise<Target[]> {
  const wanted = new Set(targets.map(nameOf));
  const deadline = performance.now() + timeout;
  let told = '';
  for (;;) {
    const status = await client.get('/status', statusAnswer);
    const current = targetsIn(status).filter((target) => wanted.has(nameOf(target)));
    const left = sessionsOf(current);
    const text = `${sessionsText(left)} left\n`;
    if (text !== told && left > 0) onProgress(text);
    told = text;
    if (left === 0 || performance.now() >= deadline) return current;
    // What is interrupted here fails with the next request.
    await sleep(Math.min(beat, deadline - performance.now()), undefined, { signal }).catch(() => undefined);
  }
}

export function sessionsOf(targets: readonly Target[]): number {
  return targets.reduce((sum, { backend }) => sum + backend.sessions, 0);
}
