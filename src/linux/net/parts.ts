import type { DescriptorLedger } from '../descriptor-ledger.ts';
import type { ErrorQueue } from '../error-queue.ts';
import type { Libc } from '../libc.ts';
import type { AddressBook } from './address-book.ts';
import type { EventLoop } from './event-loop.ts';
import type { Sender } from './sender.ts';

/** What all sockets of one thread have in common. */
export interface LoopParts {
  readonly libc: Libc;
  readonly loop: EventLoop;
  readonly book: AddressBook;
  readonly sender: Sender;
  readonly errors: ErrorQueue;
  /** Where each open descriptor is noted. */
  readonly ledger: DescriptorLedger;
}
