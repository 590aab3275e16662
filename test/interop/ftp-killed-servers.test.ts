/**
 * Downloads whose server dies. The kernel ends the connections of a process that was killed, its data connection perhaps
 * with a FIN, as if that were the whole file: the client must not be told so.
 */
import { truncateSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise, publish } from '../helpers/folders.ts';
import { dataVerbs } from '../helpers/ftp-client-specs.ts';
import { sessionPids, startFtpServer } from '../helpers/ftp-daemons.ts';
import { FtpDialogue } from '../helpers/ftp-dialogue.ts';
import { lacks } from '../helpers/peers.ts';

/** Those that serve each session with a process of its own. Of any other nobody would be left to be asked again. */
const serverNames = ['vsftpd', 'proftpd', 'pure-ftpd'] as const;
/** Bytes, of zeros that take no room: more than all buffers on the way can hold. */
const size = 1024 ** 3;
const small = noise(1_000);
/** Random, and the same in every run of the tests. */
const dice = noise(48, 'kills');
const offsets = Array.from({ length: 12 }, (_, run) => dice.readUInt32LE(run * 4) % 13_000_000);

afterAll(cleanUp);

/** Reads to the end, whatever that is, and lets something happen on the way. Resolves to the number of bytes. */
async function readAll(data: Socket, offset: number, onOffset: () => Promise<void>): Promise<number> {
  let got = 0;
  try {
    for await (const chunk of data) {
      const before = got;
      got += (chunk as Buffer).length;
      if (before <= offset && got > offset) await onOffset();
    }
  } catch {
    // A reset.
  }
  return got;
}

describe.each(serverNames)('%s', (name) => {
  test.skipIf(lacks(name))('is killed in the midst of downloads, and none is called whole', async () => {
    const server = await startFtpServer(name);
    const { user, password, root } = server;
    publish(root, 'small', small);
    publish(root, 'big', new Uint8Array());
    truncateSync(path.join(root, 'big'), size);
    const balancer = await startBalancer([server], { protocol: 'ftp' });
    const login = (): Promise<FtpDialogue> => FtpDialogue.login({ ...balancer.listener, user, password });

    for (const [run, offset] of offsets.entries()) {
      const client = await login();
      const data = await client.begin(dataVerbs[run % dataVerbs.length] ?? 'PASV', 'RETR big');
      const got = await readAll(data, offset, async () => {
        // While nothing is read, the buffers on the way fill.
        if (run % 8 >= 4) await sleep(50);
        for (const pid of sessionPids(server)) process.kill(pid, 'SIGKILL');
      });
      expect(got).toBeLessThan(size);
      const replies = [await client.reply(), await client.reply(), await client.reply()];
      expect(replies).toEqual([expect.stringMatching(/^426 /u), expect.stringMatching(/^421 /u), undefined]);
    }
    expect(await balancer.transfers(offsets.length)).toEqual(
      offsets.map(() => expect.stringMatching(/^backend-(?:lost|reset) 426$/u)),
    );

    const client = await login();
    expect((await client.download('EPSV', 'small')).equals(small)).toBe(true);
    expect(await balancer.transfers(offsets.length + 1)).toContain('ok 226');
  });
});
