/**
 * Uploads that the client breaks off: a server that is asked directly says 426 (pure-ftpd 451), and so must the balancer,
 * whatever is still on its way.
 */
import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { startBalancer } from '../helpers/balancer.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { noise } from '../helpers/folders.ts';
import { dataVerbs } from '../helpers/ftp-client-specs.ts';
import { ftpServerNames, type FtpServerName } from '../helpers/ftp-daemon-specs.ts';
import { sessionPids, startFtpServer, type FtpServer } from '../helpers/ftp-daemons.ts';
import { FtpDialogue } from '../helpers/ftp-dialogue.ts';
import { lacks } from '../helpers/peers.ts';
import { still, whileStopped } from '../helpers/pressure.ts';
import { stopAll } from '../helpers/processes.ts';

const file = noise(13_000_000);
/** Random, and the same in every run of the tests. */
const dice = noise(400, 'offsets');
/** Of each server, half of them while it reads and half while it does not. */
const offsets = Array.from({ length: 100 }, (_, run) => dice.readUInt32LE(run * 4) % file.length);

afterEach(stopAll);
afterAll(cleanUp);

/** What a client writes, in pieces, each when the kernel has taken the one before. */
class Writing {
  sent = 0;
  readonly #data: Socket;

  constructor(data: Socket) {
    this.#data = data;
  }

  /** Resolves when `length` bytes more are sent, or when the connection is gone. */
  async write(length: number): Promise<void> {
    const end = this.sent + length;
    while (this.sent < end && !this.#data.destroyed) {
      const at = this.sent % file.length;
      const piece = file.subarray(at, Math.min(at + 65_536, at + end - this.sent));
      await new Promise((resolve) => this.#data.write(piece, resolve));
      this.sent += piece.length;
    }
  }
}

/** How a client breaks off once it has written up to the offset. */
type BreakOff = (data: Socket, writing: Writing, server: FtpServer) => Promise<void>;

const breakOffAtOnce: BreakOff = async (data) => {
  data.resetAndDestroy();
};

/** Fills every buffer on the way to a server that has stopped reading, breaks off, and lets the server go on. */
const breakOffUnderPressure: BreakOff = (data, writing, server) =>
  whileStopped(sessionPids(server), async () => {
    const writes = writing.write(Infinity);
    await still(() => writing.sent);
    data.resetAndDestroy();
    await writes;
  });

/** Each upload is answered with an error and logged as broken, and a whole one behind them is a success. */
async function breakOffUploads(name: FtpServerName, half: 0 | 1, breakOff: BreakOff): Promise<void> {
  const server = await startFtpServer(name);
  const balancer = await startBalancer([server], { protocol: 'ftp' });
  const { user, password } = server;
  const login = (): Promise<FtpDialogue> => FtpDialogue.login({ ...balancer.listener, user, password });
  const code = name === 'pure-ftpd' ? 451 : 426;
  const runs = offsets.filter((_, run) => run % 2 === half);
  const lies: string[] = [];
  for (const [run, offset] of runs.entries()) {
    const verb = dataVerbs[run % dataVerbs.length] ?? 'PASV';
    // A session of its own: one whose server leaves doubt about what it has answered is ended.
    const client = await login();
    const data = await client.begin(verb, 'STOR part');
    const writing = new Writing(data);
    await writing.write(offset);
    await breakOff(data, writing, server);
    const reply = await client.reply();
    if (!/^4(26|51) /.test(reply ?? '')) lies.push(`${verb}, ${writing.sent} bytes: ${reply}`);
    client.close();
  }
  expect(lies).toEqual([]);
  const results = await balancer.transfers(runs.length);
  // On a machine with much to do a connection may be reset before anybody has taken it: then no data have come.
  const inTime = results.filter((result) => result !== 'no-client-data 451');
  expect(inTime).toEqual(inTime.map(() => `client-reset ${code}`));
  expect(inTime.length).toBeGreaterThan(runs.length / 2);

  const client = await login();
  await client.upload('EPSV', 'whole', file);
  expect(readFileSync(path.join(server.root, 'whole')).equals(file)).toBe(true);
  expect(await balancer.transfers(runs.length + 1)).toEqual([...results, 'ok 226']);
  const counted = (result: string): Promise<number> =>
    balancer.metric('tftplb_ftp_transfers_total', { direction: 'upload', result });
  expect([await counted('client-reset'), await counted('ok')]).toEqual([inTime.length, 1]);
}

describe.each(ftpServerNames)('%s', (name) => {
  describe.skipIf(lacks(name))('is asked in vain to take a part for the whole', () => {
    test('by an upload sent as fast as it can be', () => breakOffUploads(name, 0, breakOffAtOnce), 60_000);
    test('by one that it stops reading', () => breakOffUploads(name, 1, breakOffUnderPressure), 60_000);
  });
});
