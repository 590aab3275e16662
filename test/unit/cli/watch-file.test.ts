import { renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FileWatch } from '../../../src/cli/watch-file.ts';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import { temporaryFolder } from '../../helpers/folders.ts';

/** A file in a folder of its own, and how often it is told that it has changed. */
function scene(): { file: string; look: (times?: number) => number; close: () => void; clock: VirtualClock } {
  const file = path.join(temporaryFolder('watch'), 'lab.yaml');
  writeFileSync(file, 'a');
  const clock = new VirtualClock();
  const onChange = vi.fn();
  const watch = new FileWatch(file, clock, onChange);
  const look = (times = 2): number => {
    clock.advance(250 * times);
    return onChange.mock.calls.length;
  };
  return { file, look, close: () => watch.close(), clock };
}

describe('a file that is watched', () => {
  it('is told of when it is written, once and no sooner than it rests', () => {
    const { file, look } = scene();
    expect(look(10)).toBe(0);
    writeFileSync(file, 'ab');
    expect(look(1)).toBe(0);
    writeFileSync(file, 'abc');
    expect(look(1)).toBe(0);
    expect([look(1), look(10)]).toEqual([1, 1]);
    writeFileSync(file, 'x');
    expect(look()).toBe(2);
  });

  it('is told of when another one takes its place, as editors do', () => {
    const { file, look } = scene();
    writeFileSync(`${file}.new`, 'b');
    renameSync(`${file}.new`, file);
    expect(look()).toBe(1);
  });

  it('is told of when it is gone, and when it is back', () => {
    const { file, look } = scene();
    unlinkSync(file);
    expect(look()).toBe(1);
    writeFileSync(file, 'a');
    expect(look()).toBe(2);
  });

  it('may be a link that leads elsewhere, as in mounted volumes', () => {
    const folder = temporaryFolder('watch');
    const [link, one, two] = ['link', 'one', 'two'].map((name) => path.join(folder, name)) as [
      string,
      string,
      string,
    ];
    for (const file of [one, two]) writeFileSync(file, 'a');
    symlinkSync(one, link);
    const clock = new VirtualClock();
    const onChange = vi.fn();
    const watch = new FileWatch(link, clock, onChange);
    symlinkSync(two, `${link}.new`);
    renameSync(`${link}.new`, link);
    clock.advance(500);
    expect(onChange).toHaveBeenCalledOnce();
    watch.close();
  });

  it('is not told of when it is back as it was before anybody looked twice', () => {
    const clock = new VirtualClock();
    const onChange = vi.fn();
    const found = ['a', 'b', 'a', 'a', 'c', 'c'];
    const watch = new FileWatch('file', clock, onChange, () => found.shift() ?? 'c');
    clock.advance(750);
    expect(onChange).not.toHaveBeenCalled();
    clock.advance(500);
    expect(onChange).toHaveBeenCalledOnce();
    watch.close();
  });

  it('is left alone in the end', () => {
    const { file, look, close, clock } = scene();
    close();
    writeFileSync(file, 'b');
    expect([look(10), clock.pendingTimers]).toEqual([0, 0]);
  });
});
