import { describe, expect, test } from 'vitest';
import type { FoundBackend } from '../../src/balance/pool.ts';
import { type BackendSource, DiscoveryError, type SourceUpdate } from '../../src/discovery/backend-source.ts';

/** What the source asks, in a state that tests change. `empty` is there for sources that can be. */
export type SourceState = 'first' | 'second' | 'broken' | 'empty';

export interface SourceWorld {
  readonly source: BackendSource;
  /** The backends that there are in each good state. */
  readonly backends: Readonly<Record<'first' | 'second', readonly FoundBackend[]>>;
  /** Whether the source can find that there are no backends. It doubts that for three passes, and for no more than six. */
  readonly doubts?: boolean;
  become(state: SourceState): void;
  /** Lets so much time pass that the source has looked again. */
  pass(): Promise<void>;
  /** Lets time pass until `work` is done. */
  play<T>(work: Promise<T>): Promise<T>;
  /** Timers, sockets and the like that the source keeps. */
  leftOpen(): number;
}

/** What every source of backends owes to the pool. */
export function backendSourceContract(name: string, createWorld: (state: SourceState) => SourceWorld): void {
  describe(`backend source ${name}`, () => {
    test('tells the full set before it is ready', async () => {
      const { world, updates } = await watched(createWorld('first'));
      expect(updates).toEqual([{ kind: 'backends', backends: world.backends.first }]);
    });

    test('tells the full set again when it has changed, and nothing while it has not', async () => {
      const { world, updates } = await watched(createWorld('first'));
      await world.pass();
      await world.pass();
      expect(updates).toHaveLength(1);
      world.become('second');
      await world.pass();
      await world.pass();
      expect(updates.slice(1)).toEqual([{ kind: 'backends', backends: world.backends.second }]);
    });

    test('keeps the last good set while it cannot look, says so, and recovers', async () => {
      const { world, updates } = await watched(createWorld('first'));
      world.become('broken');
      await world.pass();
      expect(updates.slice(1)).not.toHaveLength(0);
      for (const update of updates.slice(1)) {
        expect(update).toEqual({
          kind: 'failed',
          source: expect.stringMatching(/./),
          error: expect.any(Error),
        });
      }
      world.become('first');
      const failed = updates.length;
      await world.pass();
      expect(updates).toHaveLength(failed);
      world.become('second');
      await world.pass();
      expect(updates.slice(failed)).toEqual([{ kind: 'backends', backends: world.backends.second }]);
    });

    test.runIf(createWorld('first').doubts)('doubts for a while that there are no backends', async () => {
      const { world, updates } = await watched(createWorld('first'));
      world.become('empty');
      for (let passes = 0; passes < 2; passes++) await world.pass();
      expect(updates.slice(1)).toContainEqual(expect.objectContaining({ kind: 'failed' }));
      expect(updates.slice(1)).not.toContainEqual(expect.objectContaining({ kind: 'backends' }));
      for (let passes = 0; passes < 4; passes++) await world.pass();
      expect(updates.at(-1)).toEqual({ kind: 'backends', backends: [] });
      const believed = updates.length;
      await world.pass();
      expect(updates).toHaveLength(believed);
      world.become('first');
      await world.pass();
      expect(updates.slice(believed)).toEqual([{ kind: 'backends', backends: world.backends.first }]);
    });

    test('forgets a doubt when there are backends', async () => {
      const { world, updates } = await watched(createWorld('first'));
      for (let times = 0; times < 3; times++) {
        world.become(world.doubts ? 'empty' : 'broken');
        await world.pass();
        await world.pass();
        world.become('first');
        await world.pass();
      }
      expect(updates.filter(({ kind }) => kind === 'backends')).toHaveLength(1);
    });

    test('cannot begin with an empty set', async () => {
      const world = createWorld('empty');
      const ready = world.play(world.source.watch(() => undefined, new AbortController().signal));
      await expect(ready).rejects.toBeInstanceOf(DiscoveryError);
      expect(world.leftOpen()).toBe(0);
    });

    test('stops when it is told to', async () => {
      const { world, updates, abort } = await watched(createWorld('first'));
      expect(world.leftOpen()).toBeGreaterThan(0);
      abort();
      expect(world.leftOpen()).toBe(0);
      world.become('second');
      await world.pass();
      expect(updates).toHaveLength(1);
    });

    test('cannot begin without a first set', async () => {
      const world = createWorld('broken');
      const updates: SourceUpdate[] = [];
      const ready = world.play(
        world.source.watch((update) => updates.push(update), new AbortController().signal),
      );
      await expect(ready).rejects.toBeInstanceOf(DiscoveryError);
      expect([updates, world.leftOpen()]).toEqual([[], 0]);
    });

    test('begins nothing when it has been told to stop already', async () => {
      const world = createWorld('first');
      const updates: SourceUpdate[] = [];
      const reason = new Error('enough');
      const ready = world.source.watch((update) => updates.push(update), AbortSignal.abort(reason));
      await expect(ready).rejects.toBe(reason);
      expect([updates, world.leftOpen()]).toEqual([[], 0]);
    });

    test('stops when it is told to from within an update', async () => {
      const world = createWorld('first');
      const controller = new AbortController();
      const over = world.source.watch(() => controller.abort(), controller.signal).catch(() => undefined);
      await world.pass();
      await over;
      expect([controller.signal.aborted, world.leftOpen()]).toEqual([true, 0]);
    });

    test('can be watched by several', async () => {
      const world = createWorld('first');
      const [one, other] = [await watched(world), await watched(world)];
      one.abort();
      world.become('second');
      await world.pass();
      expect([one.updates.length, other.updates.length]).toEqual([1, 2]);
    });
  });
}

async function watched(
  world: SourceWorld,
): Promise<{ world: SourceWorld; updates: SourceUpdate[]; abort: () => void }> {
  const updates: SourceUpdate[] = [];
  const controller = new AbortController();
  await world.play(world.source.watch((update) => updates.push(update), controller.signal));
  return { world, updates, abort: () => controller.abort() };
}
