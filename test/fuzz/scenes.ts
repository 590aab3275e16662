/** Whole runs of hostility against the engine on the in-memory net. Each decides everything by its seed. */
import { expect } from 'vitest';
import type { TidMode } from '../../src/engine/snapshot.ts';
import { Lab } from '../helpers/lab.ts';
import { pass } from '../helpers/virtual-time.ts';
import { expectNothingLeft, maxSteps } from './aftermath.ts';
import { honestServer, HonestClient } from './honest.ts';
import { labHostileBackend } from './hostile-backend.ts';
import { labHostileClient } from './hostile-client.ts';
import { Noise } from './noise.ts';
import { Stranger } from './stranger.ts';

/** Throws what does not hold. */
type Scene = (seed: number, tids: TidMode) => Promise<void>;

const moves = 120;
/** Moves between two honest transfers. */
const pause = 40;

async function hostileClients(seed: number, tids: TidMode): Promise<void> {
  const noise = new Noise(seed);
  const lab = new Lab({ seed, service: { tids } });
  lab.engine.start();
  const servers = [honestServer(lab, 0), honestServer(lab, 1)];
  const hostile = [1, 2, 3].map((n) => labHostileClient(lab, noise, n));
  const honest = new HonestClient(lab, 1);
  for (let move = 0; move < moves; move++) {
    const transfers = move % pause === 0 ? [honest.read(), honest.write()] : [];
    for (const client of hostile) client.act();
    await lab.net.play(Promise.all(transfers), maxSteps);
    await pass(lab.net, noise.int(0, 400));
  }
  for (const client of hostile) client.isMuted = true;
  honest.expectResults((2 * moves) / pause);
  for (const server of servers) server.close();
  expectNothingLeft(lab, 2);
  expect(lab.ends.length).toBeGreaterThan(50);
}

async function hostileBackend(seed: number, tids: TidMode): Promise<void> {
  const noise = new Noise(seed);
  const lab = new Lab({ seed, service: { tids } });
  lab.engine.start();
  const bad = labHostileBackend(lab, noise, 0);
  const server = honestServer(lab, 1);
  const clients = [1, 2, 3].map((n) => labHostileClient(lab, noise, n));
  const honest = new HonestClient(lab, 1);
  for (let move = 0; move < moves; move++) {
    lab.scoreboard.setEjected(0, false);
    // The honest client's requests alone are kept from the hostile backend.
    lab.scoreboard.setEnabled(0, false);
    const transfers = move % pause === 0 ? [honest.read(), honest.write()] : [];
    await pass(lab.net, 1);
    lab.scoreboard.setEnabled(0, true);
    for (const peer of [bad, ...clients]) peer.act();
    await lab.net.play(Promise.all(transfers), maxSteps);
    await pass(lab.net, noise.int(0, 400));
  }
  for (const peer of [bad, ...clients]) peer.isMuted = true;
  honest.expectResults((2 * moves) / pause);
  server.close();
  expectNothingLeft(lab, 2);
  expect(lab.ends.length).toBeGreaterThan(50);
}

async function strangers(seed: number, tids: TidMode): Promise<void> {
  const noise = new Noise(seed);
  const lab = new Lab({ seed, link: { minDelay: 3, maxDelay: 3 }, service: { tids } });
  lab.engine.start();
  const servers = [honestServer(lab, 0), honestServer(lab, 1)];
  const stranger = new Stranger(lab, noise);
  const honest = new HonestClient(lab, 1);
  const transfers = [honest.read(), honest.write(), honest.read(), honest.write()];
  const harass = (): void => {
    stranger.act();
    if (honest.isBusy) lab.net.setTimer(noise.int(1, 10), harass);
  };
  harass();
  await lab.net.play(Promise.all(transfers), maxSteps);
  honest.expectResults(transfers.length);
  expect(lab.drops('foreign-backend')).toBeGreaterThan(100);
  for (const server of servers) server.close();
  expectNothingLeft(lab, 2);
}

export const scenes: readonly (readonly [name: string, scene: Scene])[] = [
  ['hostile clients leave nothing behind and disturb nobody', hostileClients],
  ['a hostile backend leaves nothing behind and disturbs no other', hostileBackend],
  ['strangers that see every port reach nobody', strangers],
];
