/**
 * The one piece of memory that the control plane and the data planes share. No message is needed to take a backend
 * out: a flag is set here, and the next pick of every worker obeys.
 *
 * Why it is sound without locks:
 *
 * - Flags and cursors have several writers. They are 32-bit integers that are touched with Atomics alone.
 * - Gauges (held, active, the snapshot that is obeyed) have one writer each, their worker, but others decide by them: whether an index may be
 *   given away, whether a backend is full. They too are 32-bit integers under Atomics, so what is read is never
 *   half a value nor stale, and what a worker wrote before it let go of a backend is visible to whoever reads 0.
 * - Counters (datagrams, bytes, drops) have one writer each and nobody decides by them. They are doubles,
 *   which count bytes exactly up to 2^53 and, unlike 64-bit integers, need no BigInt, hence no allocation. They are
 *   read and written plainly: an aligned double is moved by one instruction on every 64-bit machine, so a reader sees
 *   a value that was true a moment ago. On a 32-bit machine a scrape might, very rarely, see half of one; the next
 *   scrape is right again.
 * - `reset` and `clear` write what belongs to workers. Their callers make sure that no session holds the index, and that
 *   the worker's thread has ended.
 *
 * A row of zeros is a new backend: up, enabled, not ejected.
 */
import {
  allocate,
  type CounterName,
  counterNames,
  type ScoreboardSize,
  type ScoreboardViews,
  viewsOf,
  type WorkerBlock,
} from './scoreboard-layout.ts';

export type { CounterName, ScoreboardSize } from './scoreboard-layout.ts';

const down = 1;
const disabled = 2;
const ejected = 4;

export class Scoreboard {
  readonly buffer: SharedArrayBuffer;
  readonly size: ScoreboardSize;
  readonly #views: ScoreboardViews;

  private constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#views = viewsOf(buffer);
    this.size = this.#views.size;
  }

  /** Throws RangeError for a size that is no positive integer. */
  static create(size: ScoreboardSize): Scoreboard {
    return new Scoreboard(allocate(size));
  }

  /** The same scoreboard in another thread. Throws RangeError if the buffer is none. */
  static attach(buffer: SharedArrayBuffer): Scoreboard {
    return new Scoreboard(buffer);
  }

  /** What health checks say. */
  isUp(backend: number): boolean {
    return !this.#has(backend, down);
  }

  setUp(backend: number, value: boolean): void {
    this.#put(backend, down, !value);
  }

  /** What the operator says. */
  isEnabled(backend: number): boolean {
    return !this.#has(backend, disabled);
  }

  setEnabled(backend: number, value: boolean): void {
    this.#put(backend, disabled, !value);
  }

  /** What live traffic says. Data planes set it, the control plane clears it. */
  isEjected(backend: number): boolean {
    return this.#has(backend, ejected);
  }

  setEjected(backend: number, value: boolean): void {
    this.#put(backend, ejected, value);
  }

  /** The version of the snapshot that is about to be published: 1, 2 and so on. For the control plane alone. */
  nextSnapshot(): number {
    return Atomics.add(this.#views.snapshot, 0, 1) + 1;
  }

  /** The version of the latest snapshot; 0 before the first. */
  get snapshot(): number {
    return Atomics.load(this.#views.snapshot, 0);
  }

  /** Whether a worker still obeys the snapshot `version` or an older one, and may pick from its pools. */
  isObeyed(version: number): boolean {
    return this.#views.blocks.some(({ snapshot }) => {
      const obeyed = Atomics.load(snapshot, 0);
      return obeyed > 0 && obeyed <= version;
    });
  }

  /** Takes the service's next turn, 0 to 2^32 - 1, then 0 again. No two callers in any thread get the same one. */
  nextTurn(service: number): number {
    return Atomics.add(this.#views.turns, service, 1) >>> 0;
  }

  /** The same for requests that go on to another backend, so that they take no turn from new requests. */
  nextRetryTurn(service: number): number {
    return Atomics.add(this.#views.retryTurns, service, 1) >>> 0;
  }

  /** To be used by that worker alone. Throws RangeError for a worker without a block. */
  writer(worker: number): ScoreWriter {
    const block = this.#views.blocks[worker];
    if (block === undefined) throw new RangeError(`the scoreboard has no worker ${worker}`);
    return new ScoreWriter(block, this.size.reasons);
  }

  /** Session objects on a backend, ended ones included that still listen for repeats. */
  holders(backend: number): number {
    let sum = 0;
    for (const block of this.#views.blocks) sum += Atomics.load(block.held, backend);
    return sum;
  }

  /** Sessions on a backend that have not ended. */
  active(backend: number): number {
    let sum = 0;
    for (const block of this.#views.blocks) sum += Atomics.load(block.active, backend);
    return sum;
  }

  activeOf(service: number): number {
    let sum = 0;
    for (const block of this.#views.blocks) sum += Atomics.load(block.serviceActive, service);
    return sum;
  }

  /** What of the service's active sessions one worker has. */
  activeIn(worker: number, service: number): number {
    const block = this.#views.blocks[worker];
    return block === undefined ? 0 : Atomics.load(block.serviceActive, service);
  }

  counter(name: CounterName, backend: number): number {
    const at = backend * counterNames.length + counterNames.indexOf(name);
    return this.#views.blocks.reduce((sum, block) => sum + (block.traffic[at] ?? 0), 0);
  }

  drops(service: number, reason: number): number {
    const at = service * this.size.reasons + reason;
    return this.#views.blocks.reduce((sum, block) => sum + (block.drops[at] ?? 0), 0);
  }

  /** Makes the row new, before its index goes to another backend. No session may hold it: see the top of the file. */
  reset(backend: number): void {
    Atomics.store(this.#views.flags, backend, 0);
    for (const block of this.#views.blocks) {
      Atomics.store(block.active, backend, 0);
      block.traffic.fill(0, backend * counterNames.length, (backend + 1) * counterNames.length);
    }
  }

  /** The same for the row of a service, which no worker may have a session of. */
  resetService(service: number): void {
    const { turns, retryTurns, blocks } = this.#views;
    for (const cursors of [turns, retryTurns]) Atomics.store(cursors, service, 0);
    for (const { drops } of blocks)
      drops.fill(0, service * this.size.reasons, (service + 1) * this.size.reasons);
  }

  /** The worker is gone with its sessions: it holds nothing. What it has counted stays. */
  clear(worker: number): void {
    const block = this.#views.blocks[worker];
    if (block === undefined) return;
    for (const gauges of [block.snapshot, block.held, block.active, block.serviceActive]) {
      for (let at = 0; at < gauges.length; at += 1) Atomics.store(gauges, at, 0);
    }
  }

  #has(backend: number, flag: number): boolean {
    return (Atomics.load(this.#views.flags, backend) & flag) !== 0;
  }

  #put(backend: number, flag: number, value: boolean): void {
    if (value) Atomics.or(this.#views.flags, backend, flag);
    else Atomics.and(this.#views.flags, backend, ~flag);
  }
}

/** The one writer of a worker's gauges and counters. Nothing in here allocates. */
export class ScoreWriter {
  readonly #block: WorkerBlock;
  readonly #reasons: number;

  constructor(block: WorkerBlock, reasons: number) {
    this.#block = block;
    this.#reasons = reasons;
  }

  /** From now on the worker picks from this snapshot. */
  obeys(snapshot: number): void {
    Atomics.store(this.#block.snapshot, 0, snapshot);
  }

  /** A session object exists: the backend's index may not be given to another one. */
  hold(backend: number): void {
    Atomics.add(this.#block.held, backend, 1);
  }

  letGo(backend: number): void {
    Atomics.sub(this.#block.held, backend, 1);
  }

  sessionStarted(service: number, backend: number): void {
    Atomics.add(this.#block.active, backend, 1);
    Atomics.add(this.#block.serviceActive, service, 1);
  }

  sessionEnded(service: number, backend: number): void {
    Atomics.sub(this.#block.active, backend, 1);
    Atomics.sub(this.#block.serviceActive, service, 1);
  }

  /** A session has begun that has no backend yet: it counts for its service alone. */
  waitBegan(service: number): void {
    Atomics.add(this.#block.serviceActive, service, 1);
  }

  waitEnded(service: number): void {
    Atomics.sub(this.#block.serviceActive, service, 1);
  }

  /** One datagram with `bytes` of payload was relayed. */
  toClient(backend: number, bytes: number): void {
    const { traffic } = this.#block;
    const at = backend * counterNames.length;
    traffic[at] = (traffic[at] ?? 0) + 1;
    traffic[at + 1] = (traffic[at + 1] ?? 0) + bytes;
  }

  /** One datagram with `bytes` of payload was relayed. */
  toBackend(backend: number, bytes: number): void {
    const { traffic } = this.#block;
    const at = backend * counterNames.length + 2;
    traffic[at] = (traffic[at] ?? 0) + 1;
    traffic[at + 1] = (traffic[at + 1] ?? 0) + bytes;
  }

  /** So many bytes of a stream were relayed, which has no datagrams. */
  streamedToClient(backend: number, bytes: number): void {
    const { traffic } = this.#block;
    const at = backend * counterNames.length + 1;
    traffic[at] = (traffic[at] ?? 0) + bytes;
  }

  streamedToBackend(backend: number, bytes: number): void {
    const { traffic } = this.#block;
    const at = backend * counterNames.length + 3;
    traffic[at] = (traffic[at] ?? 0) + bytes;
  }

  /** One datagram was not relayed. */
  dropped(service: number, reason: number): void {
    const { drops } = this.#block;
    const at = service * this.#reasons + reason;
    drops[at] = (drops[at] ?? 0) + 1;
  }
}
