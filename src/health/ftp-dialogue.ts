/** One control connection to an FTP server, driven reply by reply: what a health check needs of a client. */
import { encodeCommand } from '../ftp/commands.ts';
import { FtpProtocolError } from '../ftp/errors.ts';
import { LineFramer } from '../ftp/lines.ts';
import { type Reply, ReplyParser } from '../ftp/replies.ts';
import type { TcpSocket } from '../net/tcp.ts';

/** The server closed or reset the connection while a reply was due. */
export class DialogueLostError extends Error {
  override readonly name = 'DialogueLostError';
  readonly code = 'TLB_ERR_FTP_LOST';
}

/** Bytes that may come while nobody asks for a reply; whoever sends more is no server. */
const maxAhead = 262_144;

export class FtpDialogue {
  readonly #socket: TcpSocket;
  readonly #framer = new LineFramer('backend');
  readonly #parser = new ReplyParser();
  #waiting: PromiseWithResolvers<Reply> | undefined;
  #isLost = false;

  constructor(socket: TcpSocket) {
    this.#socket = socket;
    socket.handle({
      onData: (data) => {
        if (this.#isLost) return;
        this.#framer.push(data);
        this.#settle();
        if (this.#framer.buffered > maxAhead) this.#flee();
      },
      onEnd: () => this.#lose(),
      onDrain: () => {},
      onClose: () => this.#lose(),
    });
  }

  /** Sends a command and waits for its reply. Rejects with FtpProtocolError or DialogueLostError. */
  ask(verb: string, argument?: string): Promise<Reply> {
    this.#socket.write(encodeCommand(verb, argument));
    return this.reply();
  }

  /** The next reply. One at a time. Rejects with FtpProtocolError or DialogueLostError. */
  reply(): Promise<Reply> {
    this.#waiting = Promise.withResolvers<Reply>();
    const { promise } = this.#waiting;
    this.#settle();
    return promise;
  }

  #settle(): void {
    const waiting = this.#waiting;
    if (!waiting) return;
    try {
      const reply = this.#next();
      if (reply) this.#end((end) => end.resolve(reply));
      else if (this.#isLost) this.#end((end) => end.reject(new DialogueLostError('the server hung up')));
    } catch (error) {
      if (!(error instanceof FtpProtocolError)) throw error;
      this.#end((end) => end.reject(error));
    }
  }

  #next(): Reply | undefined {
    for (let line = this.#framer.next(); line !== undefined; line = this.#framer.next()) {
      const reply = this.#parser.push(line);
      if (reply) return reply;
    }
    return undefined;
  }

  #end(settle: (waiting: PromiseWithResolvers<Reply>) => void): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) settle(waiting);
  }

  #flee(): void {
    this.#socket.reset();
    this.#lose();
  }

  #lose(): void {
    this.#isLost = true;
    this.#settle();
  }
}
