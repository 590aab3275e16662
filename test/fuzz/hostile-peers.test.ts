import { describe, expect, it } from 'vitest';
import { Lab } from '../helpers/lab.ts';
import { pass } from '../helpers/virtual-time.ts';
import { expectNothingLeft, maxSteps } from './aftermath.ts';
import { honestServer, HonestClient } from './honest.ts';
import { HostileBackend } from './hostile-backend.ts';
import { HostileClient } from './hostile-client.ts';
import { Noise } from './noise.ts';
import { seeds } from './seeds.ts';
import { Stranger } from './stranger.ts';

const moves = 120;
/** Moves between two honest transfers. */
const pause = 40;

const tidModes = [
  ['ephemeral', { kind: 'ephemeral', ports: undefined }],
  ['single port', { kind: 'single-port' }],
] as const;

describe.each(tidModes)('%s', (_, tids) => {
  it.each(seeds(6))('hostile clients leave nothing behind and disturb nobody (seed %i)', async (seed) => {
    const noise = new Noise(seed);
    const lab = new Lab({ seed, service: { tids } });
    lab.engine.start();
    const servers = [honestServer(lab, 0), honestServer(lab, 1)];
    const hostile = [1, 2, 3].map((n) => new HostileClient(lab, noise, n));
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
  });

  it.each(seeds(6))(
    'a hostile backend leaves nothing behind and disturbs no other (seed %i)',
    async (seed) => {
      const noise = new Noise(seed);
      const lab = new Lab({ seed, service: { tids } });
      lab.engine.start();
      const bad = new HostileBackend(lab, noise, 0);
      const server = honestServer(lab, 1);
      const clients = [1, 2, 3].map((n) => new HostileClient(lab, noise, n));
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
    },
  );

  it.each(seeds(6))('strangers that see every port reach nobody (seed %i)', async (seed) => {
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
  });
});
