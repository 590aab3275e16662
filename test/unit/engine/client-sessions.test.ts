import { expect, test } from 'vitest';
import { ClientSessions } from '../../../src/engine/client-sessions.ts';
import type { RelayedSession } from '../../../src/engine/relayed-session.ts';

/** Which request a session was opened with is all that matters of it here. */
function session(file: string, clientPort: number, clientAddress = '192.0.2.1'): RelayedSession {
  const isSameRequest = (request: Uint8Array): boolean => Buffer.from(request).equals(Buffer.from(file));
  return { clientPort, clientAddress, isSameRequest } as RelayedSession;
}

test('a client has its sessions to itself, the oldest first', () => {
  const sessions = new ClientSessions();
  const [one, two, other] = [session('a', 1), session('b', 1), session('a', 2)];
  for (const added of [one, two, other]) sessions.add(added);
  expect(sessions.first(1, '192.0.2.1')).toBe(one);
  expect(sessions.first(2, '192.0.2.1')).toBe(other);
  expect(sessions.first(1, '192.0.2.2')).toBeUndefined();
  expect([...sessions]).toEqual([one, other]);
  sessions.remove(one);
  expect(sessions.first(1, '192.0.2.1')).toBe(two);
  sessions.remove(two);
  expect(sessions.first(1, '192.0.2.1')).toBeUndefined();
  expect([...sessions]).toEqual([other]);
});

test('a request is that of the latest session which was opened with it', () => {
  const sessions = new ClientSessions();
  const [one, two, three] = [session('a', 1), session('b', 1), session('a', 1)];
  const asking = (file: string): RelayedSession | undefined =>
    sessions.asking(Buffer.from(file), 1, '192.0.2.1');
  sessions.add(one);
  expect([asking('a'), asking('b')]).toEqual([one, undefined]);
  sessions.add(two);
  sessions.add(three);
  expect([asking('a'), asking('b'), asking('c')]).toEqual([three, two, undefined]);
  sessions.remove(three);
  sessions.remove(two);
  expect([asking('a'), asking('b')]).toEqual([one, undefined]);
});

test('one that was never added takes nothing away', () => {
  const sessions = new ClientSessions();
  const one = session('a', 1);
  sessions.add(one);
  sessions.remove(session('b', 1));
  expect([[...sessions], sessions.isEmpty]).toEqual([[one], false]);
  sessions.remove(one);
  expect(sessions.isEmpty).toBe(true);
});
