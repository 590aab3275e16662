import { expect, test } from 'vitest';
import type { Event } from '../../../src/observe/events.ts';
import { EventBatch } from '../../../src/runtime/event-batch.ts';

const started = (n: number): Event => ({ kind: 'ftp.session.start', service: `s${n}` });

/** A batch, what has left it, and what it wants to be called back for. */
function scene() {
  const posts: string[] = [];
  const waiting: (() => void)[] = [];
  const batch = new EventBatch(
    (events) => posts.push(events.map((event) => ('service' in event ? event.service : '')).join(' ')),
    (flush) => waiting.push(flush),
  );
  const emit = (from: number, to: number): void => {
    for (let n = from; n < to; n += 1) batch.emit(started(n));
  };
  return { batch, posts, waiting, emit };
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
