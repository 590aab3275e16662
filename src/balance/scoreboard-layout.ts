/**
 * Where things lie in the scoreboard's memory. Every section begins on a cache line of its own, so that no worker's
 * counters share a line with what another thread writes.
 *
 *   header | snapshot | flags per backend | turns, retry turns per service | block of worker 0 | block of worker 1 | ...
 *
 *   block:  snapshot | held, active per backend | active per service | traffic per backend | drops per service
 */

/** Numbers of rows; each is 1 at least. */
export interface ScoreboardSize {
  readonly services: number;
  readonly backends: number;
  readonly workers: number;
  /** How many reasons a dropped datagram can have. */
  readonly reasons: number;
}

/** What is counted for each backend; the order is that of the columns in memory. */
export const counterNames = [
  'datagramsToClient',
  'bytesToClient',
  'datagramsToBackend',
  'bytesToBackend',
] as const;
export type CounterName = (typeof counterNames)[number];

/** The part of the scoreboard that one worker alone writes. */
export interface WorkerBlock {
  /** One cell: the version of the snapshot that the worker obeys, 0 for none. */
  readonly snapshot: Int32Array;
  /** Per backend: session objects that exist. */
  readonly held: Int32Array;
  /** Per backend: sessions that have not ended. */
  readonly active: Int32Array;
  readonly serviceActive: Int32Array;
  /** `counterNames.length` columns per backend. */
  readonly traffic: Float64Array;
  /** One column per reason and service. */
  readonly drops: Float64Array;
}

export interface ScoreboardViews {
  readonly size: ScoreboardSize;
  /** One cell: the version of the latest snapshot. */
  readonly snapshot: Int32Array;
  readonly flags: Int32Array;
  /** Cursors per service. */
  readonly turns: Int32Array;
  readonly retryTurns: Int32Array;
  readonly blocks: readonly WorkerBlock[];
}

interface Section {
  readonly offset: number;
  /** In elements. */
  readonly length: number;
}

interface Layout {
  readonly snapshot: Section;
  readonly flags: Section;
  readonly turns: Section;
  readonly retryTurns: Section;
  readonly blocks: readonly Record<keyof WorkerBlock, Section>[];
  readonly byteLength: number;
}

const cacheLine = 64;
const headerWords = 5;
/** Tells a scoreboard from any other buffer; changes with the layout. */
const magic = 0x74_6c_62_02;

/** New memory of this size, all zero behind its header. Throws RangeError for a size that is no positive integer. */
export function allocate(size: ScoreboardSize): SharedArrayBuffer {
  for (const [name, rows] of Object.entries(size)) {
    if (!Number.isSafeInteger(rows) || rows < 1)
      throw new RangeError(`a scoreboard cannot have ${rows} ${name}`);
  }
  const buffer = new SharedArrayBuffer(layoutOf(size).byteLength);
  new Int32Array(buffer).set([magic, size.services, size.backends, size.workers, size.reasons]);
  return buffer;
}

/** Throws RangeError if the buffer was not made by `allocate`. */
export function viewsOf(buffer: SharedArrayBuffer): ScoreboardViews {
  const size = sizeIn(buffer);
  const layout = layoutOf(size);
  if (layout.byteLength !== buffer.byteLength) throw new RangeError('a scoreboard of the wrong length');
  const ints = (section: Section): Int32Array => new Int32Array(buffer, section.offset, section.length);
  const floats = (section: Section): Float64Array => new Float64Array(buffer, section.offset, section.length);
  return {
    size,
    snapshot: ints(layout.snapshot),
    flags: ints(layout.flags),
    turns: ints(layout.turns),
    retryTurns: ints(layout.retryTurns),
    blocks: layout.blocks.map((block) => ({
      snapshot: ints(block.snapshot),
      held: ints(block.held),
      active: ints(block.active),
      serviceActive: ints(block.serviceActive),
      traffic: floats(block.traffic),
      drops: floats(block.drops),
    })),
  };
}

function sizeIn(buffer: SharedArrayBuffer): ScoreboardSize {
  if (buffer.byteLength < headerWords * 4) throw new RangeError('not a scoreboard');
  const [mark, services = 0, backends = 0, workers = 0, reasons = 0] = new Int32Array(buffer, 0, headerWords);
  if (mark !== magic) throw new RangeError('not a scoreboard');
  return { services, backends, workers, reasons };
}

function layoutOf(size: ScoreboardSize): Layout {
  let end = padded(headerWords * 4);
  const section = (length: number, width: 4 | 8): Section => {
    const offset = end;
    end += padded(length * width);
    return { offset, length };
  };
  const snapshot = section(1, 4);
  const flags = section(size.backends, 4);
  const turns = section(size.services, 4);
  const retryTurns = section(size.services, 4);
  const blocks = Array.from({ length: size.workers }, () => ({
    snapshot: section(1, 4),
    held: section(size.backends, 4),
    active: section(size.backends, 4),
    serviceActive: section(size.services, 4),
    traffic: section(size.backends * counterNames.length, 8),
    drops: section(size.services * size.reasons, 8),
  }));
  return { snapshot, flags, turns, retryTurns, blocks, byteLength: end };
}

function padded(bytes: number): number {
  return Math.ceil(bytes / cacheLine) * cacheLine;
}
