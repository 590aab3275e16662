/** What processes and cores have used, from /proc. */
import { readdirSync, readFileSync } from 'node:fs';

/** Seconds since the process started. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

/** USER_HZ is the same on all platforms that Node runs on: /proc counts in hundredths of a second. */
const ticksPerSecond = 100;

/** Where `stat` has what the process itself has used, and all children that it has waited for. */
const cpuFields = { own: [11, 12], 'ended-children': [13, 14] } as const;

/** `stat` as in /proc/PID/stat. Throws RangeError where it is something else. */
export function parseCpuTime(stat: string, whose: keyof typeof cpuFields = 'own'): CpuTime {
  // The name in parentheses may contain anything; the state that follows it is field 3.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [user = NaN, system = NaN] = cpuFields[whose].map((at) => Number(fields[at]));
  if (!Number.isFinite(user + system)) throw new RangeError('not the statistics of a process');
  return { user: user / ticksPerSecond, system: system / ticksPerSecond };
}

/** `status` as in /proc/PID/status; bytes. Throws RangeError where it has no such line. */
export function parseResident(status: string): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1];
  if (kilobytes === undefined) throw new RangeError('not the status of a process');
  return Number(kilobytes) * 1_024;
}

/** Seconds that `core` was not idle since the system started; `stat` as in /proc/stat. */
export function parseBusy(stat: string, core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'mu').exec(stat)?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = line.split(' ').map(Number);
  return (user + nice + system + irq + softirq + steal) / ticksPerSecond;
}

/** Throws where the process is gone. */
export function cpuTimeOf(pid: number): CpuTime {
  return parseCpuTime(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

/** In bytes. Throws where the process is gone. */
export function residentOf(pid: number): number {
  return parseResident(readFileSync(`/proc/${pid}/status`, 'utf8'));
}

export function openDescriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Seconds that these cores together were not idle since the system started. */
export function busySecondsOf(cores: readonly number[]): number {
  const stat = readFileSync('/proc/stat', 'utf8');
  return cores.reduce((sum, core) => sum + parseBusy(stat, core), 0);
}

/** Seconds that `core` spent on received packets and the like since the system started; `stat` as in /proc/stat. */
export function parseSoftirq(stat: string, core: number): number {
  const line = new RegExp(`^cpu${core} (.*)$`, 'mu').exec(stat)?.[1] ?? '';
  return Number(line.split(' ')[6] ?? 0) / ticksPerSecond;
}

/** As `parseSoftirq`, of this moment. */
export function softirqSecondsOf(core: number): number {
  return parseSoftirq(readFileSync('/proc/stat', 'utf8'), core);
}
