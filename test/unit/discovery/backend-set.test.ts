import { describe, expect, test } from 'vitest';
import type { FoundBackend } from '../../../src/balance/pool.ts';
import { BackendSet, NoBackendsError } from '../../../src/discovery/backend-set.ts';
import type { SourceUpdate } from '../../../src/discovery/backend-source.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';

const one: FoundBackend = { name: 'one', address: '192.0.2.1', port: 69, weight: 1 };
const two: FoundBackend = { name: 'two', address: '192.0.2.2', port: 69, weight: 1 };

function scene(emptyGrace: number): { clock: VirtualClock; set: BackendSet; told: (readonly string[])[] } {
  const clock = new VirtualClock();
  const told: (readonly string[])[] = [];
  const onUpdate = (update: SourceUpdate): void => {
    if (update.kind === 'backends') told.push(update.backends.map(({ name }) => name));
  };
  const set = new BackendSet(clock, { source: 'the list', emptyGrace }, onUpdate);
  return { clock, set, told };
}

describe('a set', () => {
  test('is told when it is the first', () => {
    const { set, told } = scene(0);
    set.replace([one]);
    expect(told).toEqual([['one']]);
  });

  test.each<[string, FoundBackend[], number]>([
    ['the same', [{ ...one }, { ...two }], 1],
    ['another address', [one, { ...two, address: '192.0.2.3' }], 2],
    ['another port', [one, { ...two, port: 70 }], 2],
    ['another weight', [one, { ...two, weight: 2 }], 2],
    ['another name', [one, { ...two, name: 'zwei' }], 2],
    ['another order', [two, one], 2],
    ['one less', [one], 2],
    ['one more', [one, two, { ...two, name: 'three' }], 2],
  ])('is told again if it differs: %s', (_, next, times) => {
    const { set, told } = scene(0);
    set.replace([one, two]);
    set.replace(next);
    expect(told).toHaveLength(times);
  });
});

describe('an empty set', () => {
  test('is never the first', () => {
    const { clock, set, told } = scene(0);
    for (let time = 0; time < 3; time++) {
      expect(() => set.replace([])).toThrow(new NoBackendsError('the list'));
      clock.advance(1_000_000);
    }
    expect(told).toEqual([]);
  });

  test('is doubted for the grace, then told, once', () => {
    const { clock, set, told } = scene(1_000);
    set.replace([one]);
    expect(() => set.replace([])).toThrow('there are no backends in the list');
    clock.advance(999);
    expect(() => set.replace([])).toThrow(NoBackendsError);
    clock.advance(1);
    set.replace([]);
    set.replace([]);
    expect(told).toEqual([['one'], []]);
  });

  test('is believed at once without a grace', () => {
    const { set, told } = scene(0);
    set.replace([one]);
    set.replace([]);
    expect(told).toEqual([['one'], []]);
  });

  test('is doubted anew after something was found', () => {
    const { clock, set, told } = scene(1_000);
    set.replace([one]);
    expect(() => set.replace([])).toThrow(NoBackendsError);
    clock.advance(900);
    set.replace([one]);
    clock.advance(900);
    expect(() => set.replace([])).toThrow(NoBackendsError);
    expect(told).toEqual([['one']]);
  });

  test('ends with the first backend, also the one from before', () => {
    const { clock, set, told } = scene(0);
    set.replace([one]);
    set.replace([]);
    clock.advance(10);
    set.replace([one]);
    expect(told).toEqual([['one'], [], ['one']]);
  });
});
