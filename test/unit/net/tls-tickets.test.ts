import { expect, it } from 'vitest';
import { TlsTickets } from '../../../src/net/tls-tickets.ts';

const ticket = (value: number): Uint8Array => Uint8Array.of(value);

it('there is none at first', () => {
  expect(new TlsTickets().take()).toBeUndefined();
});

it('each is taken once, the newest first, and the last one again where there are no others', () => {
  const tickets = new TlsTickets();
  for (const value of [1, 2, 3]) tickets.add(ticket(value));
  expect([tickets.take(), tickets.take()]).toEqual([ticket(3), ticket(2)]);
  tickets.add(ticket(4));
  expect([1, 2, 3].map(() => tickets.take())).toEqual([ticket(4), ticket(1), ticket(1)]);
});

it('a server that sends them without end fills no memory', () => {
  const tickets = new TlsTickets();
  for (let value = 0; value < 100; value++) tickets.add(ticket(value));
  const taken = new Set(Array.from({ length: 100 }, () => tickets.take()));
  expect(taken.size).toBe(8);
});
