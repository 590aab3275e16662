import type { FtpCaps } from './effects.ts';
import { LineFramer } from './lines.ts';
import { type Reply, ReplyParser } from './replies.ts';

/** The replies of one connection to a backend. */
export class BackendReader {
  readonly #framer: LineFramer;
  readonly #parser: ReplyParser;

  constructor({ backendLine, replyBytes, replyLines }: FtpCaps) {
    this.#framer = new LineFramer('backend', backendLine);
    this.#parser = new ReplyParser({ bytes: replyBytes, lines: replyLines });
  }

  /** Whether nothing stands behind the last reply. */
  get isEmpty(): boolean {
    return this.#framer.buffered === 0;
  }

  push(bytes: Uint8Array): void {
    this.#framer.push(bytes);
  }

  /** The next whole reply, if there is one. Throws FtpProtocolError; nothing can be read after it. */
  next(): Reply | undefined {
    for (let line = this.#framer.next(); line !== undefined; line = this.#framer.next()) {
      const reply = this.#parser.push(line);
      if (reply !== undefined) return reply;
    }
    return undefined;
  }
}
