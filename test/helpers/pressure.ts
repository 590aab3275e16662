/** What tests do to see what happens while buffers are full. */
import { until } from './processes.ts';

/** Resolves when `sent` has not grown for a while. */
export async function still(sent: () => number): Promise<void> {
  let before = -1;
  let looks = 0;
  await until('nothing moves', () => {
    const now = sent();
    looks = now === before ? looks + 1 : 0;
    before = now;
    return looks === 3 || undefined;
  });
}

/** Those processes stand still until `work` is done. */
export async function whileStopped(pids: readonly number[], work: () => Promise<void>): Promise<void> {
  for (const pid of pids) signal(pid, 'SIGSTOP');
  try {
    await work();
  } finally {
    for (const pid of pids) signal(pid, 'SIGCONT');
  }
}

/** The process of an earlier session may be gone by now. */
function signal(pid: number, name: 'SIGSTOP' | 'SIGCONT'): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
