/** One storm over a balancer with a crowd of clients, from calm to calm, decided by its seed. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TidMode } from '../../src/engine/snapshot.ts';
import { MemoryStore } from '../../src/tftp/memory-store.ts';
import { TftpServer } from '../../src/tftp/server.ts';
import { expectNothingLeft } from '../fuzz/aftermath.ts';
import { Noise } from '../fuzz/noise.ts';
import { backendAddress, Lab } from '../helpers/lab.ts';
import { Crowd } from './crowd.ts';
import { calmLink, Storm } from './storm.ts';

const vips = ['10.0.0.1', '10.0.0.2'];
const backends = 4;
const clients = 30;
/** Rows of the lab's scoreboard: backends that left give theirs to others. */
const rows = 16;
/** Milliseconds of virtual time: the storm, what the clients need to finish after it, and one look at them. */
const duration = 120_000;
const patience = 600_000;
const slice = 20;
/** In a storm most transfers still get through; if not, this proves nothing. */
const fewestSuccesses = 0.3;

export interface RoundReport {
  readonly datagrams: number;
  readonly sessions: number;
}

export async function round(seed: number, tids: TidMode): Promise<RoundReport> {
  const noise = new Noise(seed);
  const service = { tids, listeners: [{ address: '0.0.0.0', port: 69 }] };
  const lab = new Lab({ seed, link: calmLink, backends, vips, service });
  let datagrams = 0;
  lab.net.addFilter(() => {
    datagrams += 1;
    return 'pass';
  });
  const stores = lab.backendHosts.map(() => new MemoryStore({}, { overwrite: true }));
  const serve = (n: number): TftpServer =>
    new TftpServer(lab.backendHost(n), {
      at: { address: backendAddress(n), port: 69 },
      store: stores[n] ?? new MemoryStore(),
      retry: { timeout: 500, retries: 8 },
    });
  const servers = lab.backendHosts.map((_, n) => serve(n));
  const restart = (n: number): void => {
    servers[n]?.close();
    servers[n] = serve(n);
  };
  const storm = new Storm({ lab, noise, vips, service, restart });
  const crowd = new Crowd(lab, noise, vips, stores);
  lab.engine.start();
  storm.start();
  const work = crowd.start(clients);
  const run = async (time: number, isOver: () => boolean): Promise<void> => {
    for (const end = lab.net.now() + time; lab.net.now() < end && !isOver();) {
      lab.net.advance(slice);
      storm.hear();
      checkGauges(lab);
      await nextTurn();
    }
  };
  await run(duration, () => false);
  storm.end();
  crowd.stop();
  await run(patience, () => !crowd.isBusy);
  expect(crowd.isBusy, 'all clients have come to an end').toBe(false);
  await work;
  for (const server of servers) server.close();
  lab.net.advance(patience);
  storm.stop();
  crowd.checkResults(lab.ends, (name) => storm.placeOf(name));
  expect(crowd.successes).toBeGreaterThan(fewestSuccesses);
  expectNothingLeft(lab, rows, vips.length);
  return { datagrams, sessions: lab.ends.length };
}

/** No count of sessions is ever below zero, nor above what the sockets allow. */
function checkGauges({ scoreboard }: Lab): void {
  for (let row = 0; row < rows; row++) {
    const [holders, active] = [scoreboard.holders(row), scoreboard.active(row)];
    if (active < 0 || holders < active) throw new Error(`row ${row}: ${active} active, ${holders} held`);
  }
}
