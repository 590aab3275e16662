import { MemoryTcpOutbox } from './memory-tcp-outbox.ts';
import type { MemoryTcpPath, Segment } from './memory-tcp-path.ts';
import { NetError, type Endpoint, type NetErrorCode } from './net.ts';
import type { TcpEnd, TcpHandlers, TcpSocket } from './tcp.ts';

/** What one end of a connection needs of its host. */
export interface EndHome {
  /** Calls back as soon as the present call has returned. */
  soon(callback: () => void): void;
  /** The connection is broken: its ports are free, and nothing more arrives. */
  disconnect(socket: MemoryTcpSocket): void;
  /** The end is closed. */
  forget(socket: MemoryTcpSocket): void;
}

/** Who hears how an attempt to connect went. */
export interface Opening {
  accepted(): void;
  refused(): void;
}

/** What has arrived and is told in order. */
type News = Extract<Segment, { kind: 'data' | 'fin' | 'reset' }>;

interface Outcome {
  readonly end: TcpEnd;
  readonly error: NetError | undefined;
}

/** One end of a connection between hosts of a MemoryNet. */
export class MemoryTcpSocket implements TcpSocket {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly #home: EndHome;
  readonly #path: MemoryTcpPath;
  readonly #outbox: MemoryTcpOutbox;
  readonly #inbox: News[] = [];
  #opening: Opening | undefined;
  #handlers: TcpHandlers | undefined;
  /** What was lent when the socket was paused. */
  #lent: Uint8Array | undefined;
  #paused = false;
  #blocked = false;
  #endTold = false;
  #outcome: Outcome | undefined;
  #closeTold = false;

  /** `path` leads to the other end. */
  constructor(home: EndHome, local: Endpoint, remote: Endpoint, path: MemoryTcpPath) {
    this.local = local;
    this.remote = remote;
    this.#home = home;
    this.#path = path;
    this.#outbox = new MemoryTcpOutbox(path);
  }

  get pending(): number {
    return this.#outbox.pending;
  }

  handle(handlers: TcpHandlers): void {
    this.#handlers = handlers;
    this.#home.soon(this.#tellNews);
  }

  write(data: Uint8Array): boolean {
    if (this.#outcome !== undefined || this.#outbox.ending) return true;
    if (this.#isBroken) {
      this.#loseToPeer();
      return true;
    }
    this.#outbox.add(data);
    this.#blocked = this.#outbox.pending > 0;
    return !this.#blocked;
  }

  end(): void {
    if (this.#outcome !== undefined || this.#outbox.ending) return;
    if (this.#isBroken) {
      this.#loseToPeer();
      return;
    }
    this.#outbox.end();
    this.#closeIfOver();
  }

  reset(): void {
    if (this.#outcome !== undefined) return;
    // Nobody knows of what was only asked for.
    if (this.#opening !== undefined) this.#path.abandon();
    else this.#path.send({ kind: 'reset' });
    this.#close('aborted');
  }

  release(): void {
    this.#closeTold = true;
    if (this.pending > 0) this.reset();
    if (this.#outcome !== undefined) return;
    this.#outbox.end();
    this.#close('clean');
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#takeBack();
    this.#home.soon(this.#tellNews);
  }

  /** Asks the other end for the connection. */
  open(opening: Opening): void {
    this.#opening = opening;
    this.#path.send({ kind: 'syn' });
  }

  /** Tells the other end that it has the connection. */
  accept(): void {
    this.#path.send({ kind: 'accepted' });
  }

  /** The program that has it dies: the other end sees a reset, and nobody is told here. */
  kill(): void {
    this.#closeTold = true;
    this.reset();
  }

  /** The system gives the connection up. */
  lose(code: NetErrorCode, reason: string): void {
    if (this.#outcome !== undefined) return;
    const { address, port } = this.remote;
    this.#close('reset', new NetError(code, `lost the connection with ${address} port ${port}: ${reason}`));
  }

  /** A segment of the other end has arrived, and this end is open. */
  receive(segment: Segment): void {
    switch (segment.kind) {
      case 'syn':
        return;
      case 'accepted':
        this.#opening?.accepted();
        this.#opening = undefined;
        return;
      case 'taken':
        this.#makeRoom(segment.bytes);
        return;
      case 'data':
      case 'fin':
        this.#hear(segment);
        return;
      case 'reset':
        this.#path.abandon();
        this.#home.disconnect(this);
        this.#opening?.refused();
        this.#opening = undefined;
        this.#hear(segment);
    }
  }

  #hear(news: News): void {
    this.#inbox.push(news);
    this.#tellNews();
  }

  /** A reset has arrived, told or not. */
  get #isBroken(): boolean {
    return this.#inbox.at(-1)?.kind === 'reset';
  }

  #makeRoom(bytes: number): void {
    this.#outbox.taken(bytes);
    if (this.#blocked && this.#outbox.pending === 0) {
      this.#blocked = false;
      this.#handlers?.onDrain();
    }
    this.#closeIfOver();
  }

  readonly #tellNews = (): void => {
    while (this.#outcome === undefined && !this.#paused && this.#handlers !== undefined) {
      const news = this.#inbox.shift();
      if (news === undefined) return;
      this.#tell(news, this.#handlers);
    }
    this.#tellClose();
  };

  #tell(news: News, handlers: TcpHandlers): void {
    switch (news.kind) {
      case 'data':
        this.#path.send({ kind: 'taken', bytes: news.data.length });
        handlers.onData(news.data);
        if (handlers.borrows === true) this.#lent = news.data;
        if (!this.#paused) this.#takeBack();
        return;
      case 'fin':
        this.#endTold = true;
        handlers.onEnd();
        this.#closeIfOver();
        return;
      case 'reset':
        this.#loseToPeer();
    }
  }

  /** Whoever still needs what was lent shall notice. */
  #takeBack(): void {
    this.#lent?.fill(0xdb);
    this.#lent = undefined;
  }

  #loseToPeer(): void {
    this.lose('TLB_ERR_SOCKET', 'the other side reset it');
  }

  #closeIfOver(): void {
    if (this.#outcome === undefined && this.#endTold && this.#outbox.finSent) this.#close('clean');
  }

  #close(end: TcpEnd, error?: NetError): void {
    this.#outbox.clear();
    this.#outcome = { end, error };
    this.#path.close();
    this.#home.forget(this);
    this.#home.soon(() => this.#tellClose());
  }

  #tellClose(): void {
    if (this.#outcome === undefined || this.#handlers === undefined || this.#closeTold) return;
    this.#closeTold = true;
    this.#handlers.onClose(this.#outcome.end, this.#outcome.error);
  }
}
