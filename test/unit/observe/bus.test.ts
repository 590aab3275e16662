import { describe, expect, it } from 'vitest';
import { Bus } from '../../../src/observe/bus.ts';
import type { Event } from '../../../src/observe/events.ts';
import { ended, rejected } from './events.ts';

function fail(): never {
  throw new Error('the subscriber is broken');
}

describe('a bus', () => {
  it('tells every subscriber every event in order', () => {
    const heard: [string, string][] = [];
    const bus = new Bus(fail);
    bus.subscribe(({ kind }) => heard.push(['first', kind]));
    bus.subscribe(({ kind }) => heard.push(['second', kind]));
    bus.emit(ended());
    bus.emit(rejected());
    expect(heard).toEqual([
      ['first', 'session.end'],
      ['second', 'session.end'],
      ['first', 'session.reject'],
      ['second', 'session.reject'],
    ]);
  });

  it('tells nothing to who has left, even in the middle of an event', () => {
    const heard: Event[] = [];
    const bus = new Bus(fail);
    bus.subscribe(() => leave());
    const leave = bus.subscribe((event) => heard.push(event));
    bus.emit(ended());
    bus.emit(ended());
    expect(heard).toEqual([]);
  });

  it('tells a subscriber twice that has subscribed twice', () => {
    let count = 0;
    const bus = new Bus(fail);
    const subscriber = (): void => void (count += 1);
    const leave = bus.subscribe(subscriber);
    bus.subscribe(subscriber);
    leave();
    bus.emit(ended());
    expect(count).toBe(1);
  });

  it('lets a broken subscriber harm neither the emitter nor the others, and reports it once', () => {
    const faults: unknown[] = [];
    let heard = 0;
    let attempts = 0;
    const bus = new Bus((fault) => faults.push(fault));
    bus.subscribe(() => {
      attempts += 1;
      throw new Error(`broken ${attempts}`);
    });
    bus.subscribe(() => (heard += 1));
    for (let count = 0; count < 3; count += 1) bus.emit(ended());
    expect({ attempts, heard }).toEqual({ attempts: 3, heard: 3 });
    expect(faults).toEqual([new Error('broken 1')]);
  });
});
