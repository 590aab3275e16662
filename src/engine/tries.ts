import type { Backend } from '../balance/pool.ts';
import { NetError } from '../net/net.ts';
import type { BackendTidOptions } from '../net/tids.ts';
import { latin1 } from '../tftp/packet.ts';
import { BackendLeg, type LegOwner } from './backend-leg.ts';
import { backendAt, type BackendPlaces, type SavedTries } from './saved-relay.ts';
import type { Asking } from './service-backends.ts';
import type { SessionHost } from './session-host.ts';

/** What a backend is picked by, and asked with. */
export interface Question extends Asking {
  /** As backends get to see it, one character a byte. */
  readonly packet: string;
  /** Bytes for what comes back, see BackendTidOptions. */
  readonly receiveBuffer: number | undefined;
}

const none: readonly never[] = [];

/**
 * The backends that were asked for one session, and which of them are still listened to. There are as many of these as
 * sessions, and an array that grows by itself takes room for more than a dozen entries: concat makes it as long as it is.
 */
export class Tries {
  readonly #host: SessionHost;
  readonly #owner: LegOwner;
  #open: readonly BackendLeg[] = none;
  /** Scoreboard indexes of those that were asked and are no longer listened to. */
  #given: readonly number[] = none;
  /** The ERROR 1 that is relayed if nobody has the file. */
  notFound: Uint8Array | undefined;

  constructor(host: SessionHost, owner: LegOwner) {
    this.#host = host;
    this.#owner = owner;
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
  askAnother(question: Question): Backend | undefined {
    try {
      return this.askFirst(question);
    } catch (error) {
      if (error instanceof NetError) return undefined;
      throw error;
    }
  }

  /**
   * Asks the next eligible backend and returns it, or undefined when none is left. One that cannot be reached at all
   * counts as refusing. Throws NetError when this host has run out of ports or descriptors.
   */
  askFirst(question: Question): Backend | undefined {
    for (;;) {
      const tried = this.#open.length === 0 ? this.#given : this.#given.concat(this.#open.map(indexOf));
      const backend = this.#host.backends.pick(question, tried);
      if (!backend) return undefined;
      try {
        this.#ask(backend, question);
        return backend;
      } catch (error) {
        this.#given = this.#given.concat(backend.index);
        if (!(error instanceof NetError) || isShortage(error)) throw error;
        this.#host.backends.suspect(backend, 'refused');
      }
    }
  }

  /** Asks once more the one that has waited for it the longest: one that stays silent may not keep others from it. */
  askAgain(packet: string): void {
    const [longest, ...others] = this.#open;
    if (!longest) return;
    this.#open = [...others, longest];
    longest.ask(Buffer.from(packet, 'latin1'));
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
    if (!this.#open.includes(leg)) return;
    this.#open = this.#open.filter((other) => other !== leg);
    this.#given = this.#given.concat(leg.backend.index);
    this.#release(leg);
  }

  close(): void {
    const open = this.#open;
    this.#open = none;
    for (const leg of open) this.#release(leg);
  }

  /** The leg's place among those that are saved; -1 if it is not among them. */
  placeOf(leg: BackendLeg | undefined): number {
    return leg ? this.#open.indexOf(leg) : -1;
  }

  save(places: BackendPlaces): SavedTries {
    const { backends } = this.#host;
    const given = this.#given.map((index) => places.of(backends.named(index)));
    return {
      given: given.filter((place) => place >= 0),
      legs: this.#open.map((leg) => leg.save(places)),
      notFound: this.notFound && latin1(this.notFound, 0, this.notFound.length),
    };
  }

  /** Asks nobody: all that was asked has been. Returns the legs in their places. Throws NetError. */
  restore(saved: SavedTries, backends: readonly Backend[]): readonly BackendLeg[] {
    this.#given = saved.given.map((place) => backendAt(backends, place).index);
    if (saved.notFound !== undefined) this.notFound = Buffer.from(saved.notFound, 'latin1');
    for (const { backend, tid, ...leg } of saved.legs) {
      const options = { receiveBuffer: undefined, anyAddress: tid.hearsAll, moved: tid };
      const restored = this.#lend(backendAt(backends, backend), options);
      restored.isSilent = leg.isSilent;
      restored.peerPort = leg.peerPort;
      restored.peerAddress = leg.peerAddress;
    }
    return this.#open;
  }

  #ask(backend: Backend, { client, packet, receiveBuffer }: Question): void {
    const { requests } = this.#host.service;
    const options = {
      receiveBuffer,
      anyAddress: requests.backendAnyAddress,
      source: requests.transparent ? client : undefined,
    };
    this.#lend(backend, options).ask(Buffer.from(packet, 'latin1'));
  }

  #lend(backend: Backend, options: BackendTidOptions): BackendLeg {
    const leg = new BackendLeg(this.#host.tids, backend, options, this.#owner);
    this.#open = this.#open.concat(leg);
    this.#host.backends.hold(backend);
    return leg;
  }

  #release(leg: BackendLeg): void {
    leg.close();
    this.#host.backends.letGo(leg.backend);
  }
}

function indexOf({ backend }: BackendLeg): number {
  return backend.index;
}

/** Whether this host has run out of ports or descriptors. */
export function isShortage(error: NetError): boolean {
  return error.code === 'TLB_ERR_NO_DESCRIPTORS' || error.code === 'TLB_ERR_NO_PORTS';
}
