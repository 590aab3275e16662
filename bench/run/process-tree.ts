/** What a process has used together with all that it started: some programs have one for each session. */
import { readdirSync, readFileSync } from 'node:fs';

import { sum } from '../report/statistics.ts';
import { type CpuTime, parseCpuTime, residentOf } from './accounting.ts';

/** Of a process and its descendants. */
export interface TreeMemory {
  readonly processes: number;
  /** Bytes; a page that several of them have counts for each. */
  readonly resident: number;
  /** Bytes; a page that several processes have is shared out among them. */
  readonly proportional: number;
}

/** `rollup` as in /proc/PID/smaps_rollup; bytes. Throws RangeError where it has no such line. */
export function parseProportional(rollup: string): number {
  const kilobytes = /^Pss:\s+(\d+) kB$/mu.exec(rollup)?.[1];
  if (kilobytes === undefined) throw new RangeError('not the memory of a process');
  return Number(kilobytes) * 1_024;
}

/** `schedstat` as in /proc/PID/task/TID/schedstat; seconds that the thread has run. */
export function parseRunTime(schedstat: string): number {
  return Number(schedstat.split(' ')[0]) / 1e9;
}

/**
 * Seconds of the whole tree, those of children that have ended included. The sum is exact; how it is split is known to
 * a hundredth of a second for each process. Throws where the process is gone.
 */
export function treeCpuTimeOf(pid: number): CpuTime {
  const processes = ofTree(pid, exactTimeOf);
  return { user: sum(processes.map(({ user }) => user)), system: sum(processes.map(({ system }) => system)) };
}

/** Throws where the process is gone. */
export function treeMemoryOf(pid: number): TreeMemory {
  const residents = ofTree(pid, residentOf);
  const proportionals = ofTree(pid, (process) =>
    parseProportional(readFileSync(`/proc/${process}/smaps_rollup`, 'utf8')),
  );
  return { processes: residents.length, resident: sum(residents), proportional: sum(proportionals) };
}

/** What `read` tells of the process and of its descendants, any of which may end meanwhile. */
function ofTree<T>(pid: number, read: (pid: number) => T): T[] {
  const descendants = descendantsOf(pid).map((descendant) => ifThere(() => read(descendant)));
  return [read(pid), ...descendants.filter((told) => told !== undefined)];
}

/** With its children that have ended. */
function exactTimeOf(pid: number): CpuTime {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [own, ended] = [parseCpuTime(stat), parseCpuTime(stat, 'ended-children')];
  const system = Math.max(own.system, runTimeOf(pid) - own.user);
  return { user: own.user + ended.user, system: system + ended.system };
}

/** Of all its threads; 0 where the kernel does not tell. */
function runTimeOf(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`);
  return sum(
    threads.map((thread) =>
      parseRunTime(ifThere(() => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')) ?? '0'),
    ),
  );
}

function descendantsOf(pid: number): number[] {
  const list = ifThere(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')) ?? '';
  const children = list.split(' ').filter(Boolean).map(Number);
  return [...children, ...children.flatMap(descendantsOf)];
}

/** Undefined where the process is gone, or the file unknown. */
function ifThere<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
