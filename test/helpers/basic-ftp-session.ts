/** Takes the steps that it reads as JSON in one session of the library basic-ftp. */
import { readFileSync, writeFileSync } from 'node:fs';
import { json } from 'node:stream/consumers';
import { Client, enterPassiveModeIPv4, enterPassiveModeIPv6 } from 'basic-ftp';
import type { FtpStep, FtpTarget } from './ftp-client-specs.ts';

const { steps, ...target } = (await json(process.stdin)) as FtpTarget & {
  readonly steps: readonly FtpStep[];
};

async function take(client: Client, { kind, remote, local, from = 0 }: FtpStep): Promise<void> {
  if (kind === 'download') await client.downloadTo(local, remote, from);
  else if (kind === 'list') await list(client, remote, local);
  else if (from > 0) await client.appendFrom(local, remote, { localStart: from });
  else await client.uploadFrom(local, remote);
}

/** In the form of `ls -l`, whether the client asked for it with LIST or MLSD. */
async function list(client: Client, folder: string, local: string): Promise<void> {
  const files = await client.list(folder);
  writeFileSync(local, files.map(({ isFile, name }) => `${isFile ? '-' : 'd'} ${name}\n`).join(''));
}

const client = new Client(60_000);
client.ftp.verbose = true;
client.prepareTransfer = target.verb === 'PASV' ? enterPassiveModeIPv4 : enterPassiveModeIPv6;
try {
  const { tls } = target;
  const secure = tls === undefined ? false : tls.isImplicit === true ? ('implicit' as const) : true;
  const secureOptions = tls && {
    ca: readFileSync(tls.ca, 'utf8'),
    host: target.address,
    ...(tls.version !== undefined && { maxVersion: `TLSv${tls.version}` as const }),
  };
  await client.access({ host: target.address, ...target, secure, ...(secureOptions && { secureOptions }) });
  for (const step of steps) await take(client, step);
} finally {
  // Says QUIT.
  client.close();
}
