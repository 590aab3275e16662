/**
 * A client, backends, and session machines between them, on a network that does to each packet what `fate` says. The
 * client and the servers are the real machines; the relays do what an engine does with a verdict and nothing else.
 */
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import type { RetryRule } from '../../../src/tftp/backoff.ts';
import { encodeError, ErrorCode, isError, Opcode, opcodeOf } from '../../../src/tftp/packet.ts';
import type { SessionTiming } from '../../../src/tftp/saved-session.ts';
import type { BlockShape } from '../../../src/tftp/source.ts';
import { patterned } from './content.ts';
import type { Fate } from './link.ts';
import { Relay } from './relay-model.ts';
import { ModelClient, ModelServer } from './relay-peers.ts';

/** `refuses`: an ICMP refusal comes back. `lacks`: ERROR 1 comes back. */
export type BackendKind = 'serves' | 'silent' | 'refuses' | 'lacks';

export interface SceneOptions {
  readonly operation: 'read' | 'write';
  /** Bytes of the file. */
  readonly size: number;
  /** What the client asks for; undefined: no option at all. */
  readonly asked: BlockShape | undefined;
  /** The most that servers grant of it. */
  readonly limits: BlockShape;
  readonly backends: readonly BackendKind[];
  readonly singlePort: boolean;
  readonly retryNotFound: boolean;
  /** Repeats of each peer. */
  readonly retries: number;
  /** From ports of the first backend that have nothing to do with the transfer. */
  readonly strays: readonly Stray[];
  readonly fate: () => Fate;
}

export interface Stray {
  /** Milliseconds after the start. */
  readonly at: number;
  /** May be anything but a first reply to the request. */
  readonly packet: Uint8Array;
}

/** Milliseconds, both. */
const timing: SessionTiming = { tryInterval: 1_000, idleTimeout: 60_000 };
const retryTimeout = 400;
/** More than any of these small transfers takes. */
const maxSteps = 100_000;

const unknownTid = encodeError(ErrorCode.unknownTid, '');

export class Backend {
  readonly kind: BackendKind;
  readonly servers: ModelServer[] = [];
  readonly #scene: Scene;

  constructor(scene: Scene, kind: BackendKind) {
    this.#scene = scene;
    this.kind = kind;
  }

  /** Every copy of a request starts a transfer of its own, as it does on real servers. */
  onRequest(relay: Relay): void {
    if (this.kind === 'silent') return;
    if (this.kind === 'refuses') {
      this.#scene.carry(() => relay.onRefused(this));
      return;
    }
    const server = new ModelServer(this.#scene, this, relay);
    this.servers.push(server);
    server.start();
  }
}

export class Scene {
  readonly clock: VirtualClock = new VirtualClock();
  readonly options: SceneOptions;
  readonly content: Uint8Array;
  readonly backends: readonly Backend[];
  readonly client: ModelClient;
  readonly relays: Relay[] = [];
  readonly timing: SessionTiming = timing;
  readonly retry: RetryRule;

  constructor(options: SceneOptions) {
    this.options = options;
    this.content = patterned(options.size);
    this.retry = { timeout: retryTimeout, retries: options.retries };
    this.backends = options.backends.map((kind) => new Backend(this, kind));
    this.client = new ModelClient(this);
  }

  get isRead(): boolean {
    return this.options.operation === 'read';
  }

  get servers(): ModelServer[] {
    return this.backends.flatMap((backend) => backend.servers);
  }

  /** Runs until nothing is under way and nobody waits for a timer. Throws RangeError if that never happens. */
  run(): void {
    for (const { at, packet } of this.options.strays) {
      this.clock.plan(this.clock.now() + at, () => this.#throw(packet));
    }
    this.client.start();
    this.clock.runUntilIdle(maxSteps);
  }

  /** Lets `arrive` happen for each copy of a packet that the network delivers. */
  carry(arrive: () => void): void {
    for (const delay of this.options.fate()) this.clock.plan(this.clock.now() + delay, arrive);
  }

  /** What the client sends; `to` is the VIP TID that it has pinned, if it has. */
  fromClient(packet: Uint8Array, to: Relay | undefined): void {
    const copy = packet.slice();
    const opcode = opcodeOf(copy);
    this.carry(() => {
      const newest = this.relays.at(-1);
      if (opcode === Opcode.rrq || opcode === Opcode.wrq) this.#onRequest(newest);
      else (this.options.singlePort ? newest : to)?.fromClient(copy);
    });
  }

  toClient(packet: Uint8Array, relay: Relay): void {
    const copy = packet.slice();
    this.carry(() => this.client.onPacket(copy, relay));
  }

  /** The server's packet comes from a TID that the relay does not know. */
  refuseForeign(server: ModelServer, packet: Uint8Array): void {
    if (!isError(packet)) this.carry(() => server.onPacket(unknownTid));
  }

  #throw(packet: Uint8Array): void {
    const [backend] = this.backends;
    const relay = this.relays.at(-1);
    if (backend && relay) relay.fromBackend(new ModelServer(this, backend, relay), packet);
  }

  #onRequest(newest: Relay | undefined): void {
    if (newest !== undefined && !newest.isClosed) {
      if (newest.onRepeat()) return;
      if (this.options.singlePort) newest.replace();
    }
    const relay = new Relay(this);
    this.relays.push(relay);
    relay.open();
  }
}
