/**
 * The commands of a client that wait for their turn. Servers take one command at a time, clients send as many as they
 * like: at most `max` are read ahead here, and then nothing more is read until one of them was taken.
 */
import { type Command, isHttpRequest, isProxyHeader, parseCommand } from './commands.ts';
import { type Answer, FtpProtocolError } from './errors.ts';
import { type Line, LineFramer, lineError } from './lines.ts';

export type QueueItem =
  | { readonly kind: 'command'; readonly command: Command }
  | { readonly kind: 'malformed'; readonly answer: Answer }
  /** Only the first line of a session, and the first within TLS, are looked at for these two. */
  | { readonly kind: 'http' }
  | { readonly kind: 'proxy-header' };

export class ClientQueue {
  readonly #max: number;
  readonly #framer: LineFramer;
  readonly #items: QueueItem[] = [];
  #isBegun = false;
  #isClosed = false;
  #taken = 0;

  /** `lineCap` is the longest line in bytes. */
  constructor(max: number, lineCap: number) {
    this.#max = max;
    this.#framer = new LineFramer('client', lineCap);
  }

  /** Lines that were taken. */
  get taken(): number {
    return this.#taken;
  }

  get isFull(): boolean {
    return this.#items.length >= this.#max;
  }

  /** Whether the client will send nothing more. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  get head(): QueueItem | undefined {
    return this.#items[0];
  }

  /** Whether everything that was said has been taken. */
  get isEmpty(): boolean {
    return this.#items.length === 0 && this.#framer.buffered === 0;
  }

  /** What comes now is said by another one, as it seems: the next line is the first. */
  restart(): void {
    this.#isBegun = false;
  }

  has(verb: string): boolean {
    return this.#items.some((item) => verbOf(item) === verb);
  }

  /** Whether `verb` waits, and none of `barriers` stands in front of it. */
  hasInFrontOf(verb: string, barriers: ReadonlySet<string>): boolean {
    return verbOf(this.#items.find((item) => isOneOf(item, verb, barriers))) === verb;
  }

  push(bytes: Uint8Array): void {
    this.#framer.push(bytes);
    this.#fill();
  }

  close(): void {
    this.#isClosed = true;
  }

  take(): QueueItem | undefined {
    const item = this.#items.shift();
    if (item !== undefined) this.#taken += 1;
    this.#fill();
    return item;
  }

  #fill(): void {
    while (!this.isFull) {
      const line = this.#framer.next();
      if (line === undefined) return;
      const isFirst = !this.#isBegun;
      this.#isBegun = true;
      this.#items.push(itemOf(line, isFirst));
    }
  }
}

function verbOf(item: QueueItem | undefined): string | undefined {
  return item?.kind === 'command' ? item.command.verb : undefined;
}

function isOneOf(item: QueueItem, verb: string, others: ReadonlySet<string>): boolean {
  const own = verbOf(item);
  return own === verb || (own !== undefined && others.has(own));
}

function itemOf(line: Line, isFirst: boolean): QueueItem {
  // A request may well be longer than a command: what it says further on would be taken for commands.
  const text = line.kind === 'faulty' ? line.start : line.text;
  if (isFirst && isHttpRequest(text)) return { kind: 'http' };
  if (isFirst && isProxyHeader(text)) return { kind: 'proxy-header' };
  if (line.kind === 'faulty') return { kind: 'malformed', answer: lineError('client', line.fault).answer };
  try {
    return { kind: 'command', command: parseCommand(line.text) };
  } catch (error) {
    if (!(error instanceof FtpProtocolError)) throw error;
    return { kind: 'malformed', answer: error.answer };
  }
}
