import { LineFramer } from './lines.ts';
import { type Reply, ReplyParser } from './replies.ts';

/** The replies of one connection to a backend. */
export class BackendReader {
  readonly #framer = new LineFramer('backend');
  readonly #parser = new ReplyParser();

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
