import { expect, test, vi } from 'vitest';
import type { Event } from '../../../src/observe/events.ts';
import { EventBatch } from '../../../src/runtime/event-batch.ts';
import { Receipts } from '../../../src/runtime/receipts.ts';

const started = (n: number): Event => ({ kind: 'ftp.session.start', service: `s${n}` });

/** A batch, what has left it, and what it wants to be called back for. */
function scene() {
  const posts: string[] = [];
  const waiting: (() => void)[] = [];
  const receipts = new Receipts(Receipts.allocate());
  const batch = new EventBatch({
    post: (events) =>
      void posts.push(events.map((event) => ('service' in event ? event.service : '')).join(' ')),
    later: (flush) => void waiting.push(flush),
    receipts,
  });
  const emit = (from: number, to: number): void => {
    for (let n = from; n < to; n += 1) batch.emit(started(n));
  };
  return { batch, posts, waiting, receipts, emit };
}

test('events wait for each other, and leave together in their order', () => {
  const { posts, waiting, emit } = scene();
  emit(0, 3);
  expect([posts, waiting.length]).toEqual([[], 1]);
  waiting.shift()?.();
  expect(posts).toEqual(['s0 s1 s2']);
  emit(3, 4);
  expect(waiting).toHaveLength(1);
  waiting.shift()?.();
  expect(posts).toEqual(['s0 s1 s2', 's3']);
});

test('very many of them do not wait', () => {
  const { posts, waiting, emit } = scene();
  emit(0, 600);
  expect(posts.map((post) => post.split(' ').length)).toEqual([256, 256]);
  expect(waiting).toHaveLength(1);
  waiting.shift()?.();
  expect(posts.join(' ').split(' ')).toEqual(Array.from({ length: 600 }, (_, n) => `s${n}`));
});

test('a flush sends what there is, and nothing twice', () => {
  const { batch, posts, waiting, emit } = scene();
  batch.flush();
  emit(0, 2);
  batch.flush();
  waiting.shift()?.();
  expect(posts).toEqual(['s0 s1']);
});

test('no more than so many are under way that nobody has taken, unless the worker is about to die', () => {
  const { batch, posts, receipts, emit } = scene();
  // Whoever would wait in this thread would wait for ever.
  const wait = vi.spyOn(Atomics, 'wait').mockImplementation(() => {
    receipts.take(256);
    return 'ok';
  });
  try {
    emit(0, 16_384 + 256);
    expect([posts.length, wait.mock.calls.length]).toEqual([65, 0]);
    emit(0, 10);
    batch.flush();
    expect([posts.length, wait.mock.calls.length]).toEqual([66, 0]);
    emit(0, 256);
    expect([posts.length, wait.mock.calls.length]).toEqual([67, 2]);
  } finally {
    wait.mockRestore();
  }
});
