import { describe, it } from 'vitest';
import { scenes } from './scenes.ts';
import { seeds } from './seeds.ts';
import { tidModes } from './tid-modes.ts';

describe.each(tidModes)('%s', (_, tids) => {
  describe.each(scenes)('%s', (_, scene) => {
    it.each(seeds(6))('seed %i', async (seed) => {
      await scene(seed, tids);
    });
  });
});
