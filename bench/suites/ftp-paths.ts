/** What the suites of FTP have in common: loads in bulk, and how they go along several paths. */
import type { FtpPath, RelayedFtpPath } from '../paths/ftp-path.ts';
import { type FtpTask, measureFtp, runFtp } from '../questions/ftp-throughput.ts';
import type { FtpResult } from '../report/ftp-text.ts';
import { summarize } from '../report/summary.ts';
import type { FtpStage } from '../run/ftp-stage.ts';
import type { Settings } from '../settings.ts';

/** Sessions at a time where several share the work. */
const many = 8;

export type StartFtpPath = () => Promise<RelayedFtpPath>;
export type Say = (line: string) => void;

/** Bytes of the files that are needed to move so many in bulk. */
export function bulkSizes(bulk: number): number[] {
  return [bulk, bulk / many];
}

/** `bulk` bytes each way, by one session and shared among several. */
export function bulkTasks(bulk: number): FtpTask[] {
  const whole = { sessions: 1, files: 1, bytes: bulk };
  const shared = { sessions: many, files: 1, bytes: bulk / many };
  return [
    { name: 'download, 1 session', unit: 'GiB', load: { kind: 'download', ...whole } },
    { name: `download, ${many} sessions`, unit: 'GiB', load: { kind: 'download', ...shared } },
    { name: 'upload, 1 session', unit: 'GiB', load: { kind: 'upload', ...whole } },
    { name: `upload, ${many} sessions`, unit: 'GiB', load: { kind: 'upload', ...shared } },
  ];
}

export function loginTask(logins: number): FtpTask {
  return {
    name: `logins, ${many} at a time`,
    unit: 'logins',
    load: { kind: 'logins', sessions: many, logins },
  };
}

/** The server itself, reached directly, and what `starts` puts in between, all of which runs at the same time. */
export async function measurePaths(
  stage: FtpStage,
  starts: readonly StartFtpPath[],
  tasks: readonly FtpTask[],
  { rounds }: Settings,
  say: Say,
): Promise<FtpResult[]> {
  const paths: FtpPath[] = [
    { name: 'direct', port: stage.serverPort, isSecure: stage.isSecure, relay: undefined },
  ];
  for (const start of starts) paths.push(await start());
  say('warming up');
  const results: FtpResult[] = [];
  for (const task of tasks) for (const path of paths) await runFtp(stage, path, task);
  for (const task of tasks) {
    say(task.name);
    for (const one of await measureFtp(stage, paths, task, rounds)) {
      results.push({ ...one, summary: summarize(one.rounds, stage.cores.length) });
    }
  }
  for (const { relay } of paths) await relay?.stop();
  return results;
}
