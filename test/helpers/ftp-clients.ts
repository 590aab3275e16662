/** Real FTP clients behind one face: each is given a list of steps, which it takes in one session. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from './folders.ts';
import { ftpClientSpecs, type FtpClientName, type FtpStep, type FtpTarget } from './ftp-client-specs.ts';
import { requirePeer } from './peers.ts';
import { run, type Exit } from './processes.ts';

/** What a client said when a step failed. */
export class FtpFailed extends Error {
  override readonly name = 'FtpFailed';
  readonly exit: Exit;

  constructor(client: FtpClientName, exit: Exit) {
    const end = exit.signal === undefined ? `exit code ${exit.code}` : `killed by ${exit.signal}`;
    super(`${client}: ${end}\n${exit.stdout}${exit.stderr}`);
    this.exit = exit;
  }
}

/** True if a client failed because the server answered 550. */
export function isMissing(error: unknown): boolean {
  return error instanceof FtpFailed && /\b550[ -]/u.test(error.exit.stdout + error.exit.stderr);
}

let folder: string | undefined;
let files = 0;

function scratch(): string {
  folder ??= temporaryFolder('client');
  return folder;
}

/** The path of a new file for a client to write, or to read `data` from. */
export function localFile(data?: Uint8Array): string {
  files += 1;
  const file = path.join(scratch(), String(files));
  if (data !== undefined) writeFileSync(file, data);
  return file;
}

/** Takes all steps in one session. Throws FtpFailed if one of them fails. */
export async function takeSteps(
  client: FtpClientName,
  target: FtpTarget,
  steps: readonly FtpStep[],
): Promise<Exit> {
  const { peer, launch, failed } = ftpClientSpecs[client];
  const { args, input } = launch(target, steps);
  const command = peer === undefined ? { program: process.execPath, env: {} } : requirePeer(peer);
  const exit = await run(command, args, {
    input,
    // Nobody's own settings.
    env: { HOME: scratch() },
    timeout: target.patience ?? 25_000,
  });
  if (exit.code !== 0 || failed?.(exit, steps.length) === true) throw new FtpFailed(client, exit);
  return exit;
}

/** Throws FtpFailed. */
export async function download(client: FtpClientName, target: FtpTarget, remote: string): Promise<Buffer> {
  const local = localFile();
  await takeSteps(client, target, [{ kind: 'download', remote, local }]);
  return readFileSync(local);
}
