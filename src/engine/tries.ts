import type { Backend } from '../balance/pool.ts';
import { NetError } from '../net/net.ts';
import { BackendLeg, type LegOwner } from './backend-leg.ts';
import type { Asking } from './service-backends.ts';
import type { SessionHost } from './session-host.ts';

/**
 * The backends that were asked for one session, and which of them are still listened to. There are as many of these as
 * sessions, and an array that grows by itself takes room for more than a dozen entries: concat makes it as long as it is.
 */
export class Tries {
  readonly #host: SessionHost;
  readonly #owner: LegOwner;
  readonly #asking: Asking;
  /** One character a byte. */
  readonly #request: string;
  readonly #receiveBuffer: number | undefined;
  /** Scoreboard indexes, in the order in which they were asked. */
  #tried: readonly number[] = [];
  #open: BackendLeg[] = [];
  /** The ERROR 1 that is relayed if nobody has the file. */
  notFound: Uint8Array | undefined;

  /** `asking` is what backends are picked by, `request` is what they get to see. */
  constructor(
    host: SessionHost,
    owner: LegOwner,
    asking: Asking,
    request: string,
    receiveBuffer: number | undefined,
  ) {
    this.#host = host;
    this.#owner = owner;
    this.#asking = asking;
    this.#request = request;
    this.#receiveBuffer = receiveBuffer;
  }

  /** The one that was asked last and is still listened to. */
  get latest(): BackendLeg | undefined {
    return this.#open.at(-1);
  }

  /** Whether somebody may still answer who was asked within the try interval. */
  get isWaiting(): boolean {
    return this.#open.some((leg) => !leg.isSilent);
  }

  get hasOpen(): boolean {
    return this.#open.length > 0;
  }

  /** As askFirst, but where this host has run out of ports or descriptors, the session makes do with whom it has asked. */
  askAnother(): Backend | undefined {
    try {
      return this.askFirst();
    } catch (error) {
      if (error instanceof NetError) return undefined;
      throw error;
    }
  }

  /**
   * Asks the next eligible backend and returns it, or undefined when none is left. One that cannot be reached at all
   * counts as refusing. Throws NetError when this host has run out of ports or descriptors.
   */
  askFirst(): Backend | undefined {
    for (;;) {
      const backend = this.#host.backends.pick(this.#asking, this.#tried);
      if (!backend) return undefined;
      this.#tried = this.#tried.concat(backend.index);
      try {
        this.#ask(backend);
        return backend;
      } catch (error) {
        if (!(error instanceof NetError) || isShortage(error)) throw error;
        this.#host.backends.suspect(backend, 'refused');
      }
    }
  }

  /** Asks once more the one that has waited for it the longest: one that stays silent may not keep others from it. */
  askAgain(): void {
    const [longest, ...others] = this.#open;
    if (!longest) return;
    this.#open = [...others, longest];
    longest.ask(Buffer.from(this.#request, 'latin1'));
  }

  /** All that were asked so far have let the try interval pass. */
  markSilent(): void {
    for (const leg of this.#open) leg.isSilent = true;
  }

  /** Whoever answers first serves the session. The silent ones are suspect now, because the request could be answered. */
  answeredBy(answering: BackendLeg): void {
    for (const leg of this.#open) {
      if (leg !== answering && leg.isSilent) this.#host.backends.suspect(leg.backend, 'silent');
    }
  }

  /** Nothing more is expected from this backend. */
  drop(leg: BackendLeg): void {
    const open = this.#open.filter((other) => other !== leg);
    if (open.length === this.#open.length) return;
    this.#open = open;
    this.#release(leg);
  }

  close(): void {
    const open = this.#open;
    this.#open = [];
    for (const leg of open) this.#release(leg);
  }

  #ask(backend: Backend): void {
    const { requests } = this.#host.service;
    const options = {
      receiveBuffer: this.#receiveBuffer,
      anyAddress: requests.backendAnyAddress,
      source: requests.transparent ? this.#asking.client : undefined,
    };
    const leg = new BackendLeg(this.#host.tids, backend, options, this.#owner);
    this.#open = this.#open.concat(leg);
    this.#host.backends.hold(backend);
    leg.ask(Buffer.from(this.#request, 'latin1'));
  }

  #release(leg: BackendLeg): void {
    leg.close();
    this.#host.backends.letGo(leg.backend);
  }
}

/** Whether this host has run out of ports or descriptors. */
export function isShortage(error: NetError): boolean {
  return error.code === 'TLB_ERR_NO_DESCRIPTORS' || error.code === 'TLB_ERR_NO_PORTS';
}
