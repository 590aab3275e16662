/** What workers know of addresses together: how often they ask, and which backend they had. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AddressWords } from '../../../src/engine/address-words.ts';
import { AffinityTable, createAffinityTable } from '../../../src/engine/affinity-table.ts';
import { createRateTable, RateTable } from '../../../src/engine/rate-table.ts';
import { createSeededRandom } from '../../../src/net/memory-random.ts';

const words = new AddressWords();

function at(text: string): AddressWords {
  expect(words.read(text)).toBe(true);
  return words;
}

/** The n-th of many addresses. */
function client(n: number): AddressWords {
  words.read(`10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`);
  return words;
}

/** A bucket as one would draw it. */
class Bucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at = 0;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** How many tokens there are. */
  level(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) * this.#perSecond) / 1_000);
    this.#at = now;
    return this.#tokens;
  }

  take(): void {
    this.#tokens -= 1;
  }
}

describe('a rate', () => {
  it('is that of a bucket into which tokens drip, to a sixteenth of a token', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 1, maxLength: 60 });
    const perSecond = fc.constantFrom(0.1, 0.5, 1, 3, 7, 100, 5_000);
    const epoch = fc.constantFrom(0, 1_795_374_241_158, 2 ** 40);
    fc.assert(
      fc.property(perSecond, fc.integer({ min: 1, max: 20 }), epoch, gaps, (rate, burst, start, waits) => {
        const table = new RateTable(createRateTable(0.5), { perSecond: rate, burst });
        const bucket = new Bucket(rate, burst);
        let now = 0;
        for (const wait of waits) {
          now += wait;
          const level = bucket.level(now);
          const isTaken = table.take(at('192.0.2.1'), 128, start + now);
          if (isTaken) bucket.take();
          if (level > 1 + 1 / 8) expect(isTaken).toBe(true);
          if (level < 1 - 1 / 8) expect(isTaken).toBe(false);
        }
      }),
    );
  });

  it('is one for all addresses that begin alike, and for no others', () => {
    const table = new RateTable(createRateTable(0.5), { perSecond: 1, burst: 2 });
    const take = (text: string, bits: number): boolean => table.take(at(text), bits, 0);
    expect([take('10.0.0.1', 120), take('10.0.0.2', 120), take('10.0.0.3', 120)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(take('10.0.1.1', 120)).toBe(true);
    expect([take('2001:db8::1', 64), take('2001:db8::ffff:1', 64), take('2001:db8::2', 64)]).toEqual([
      true,
      true,
      false,
    ]);
    expect(take('2001:db8:0:1::1', 64)).toBe(true);
  });

  it('is the same for all who share the memory', () => {
    const memory = createRateTable(0.5);
    const tables = [0, 1].map(() => new RateTable(memory, { perSecond: 1, burst: 3 }));
    const taken = Array.from({ length: 8 }, (_, n) => tables[n % 2]?.take(at('::1'), 128, 5));
    expect(taken.filter(Boolean)).toHaveLength(3);
  });

  it('holds for those who ask too often while a million others come by', () => {
    const memory = createRateTable(0.5);
    const size = memory.byteLength;
    const table = new RateTable(memory, { perSecond: 1, burst: 1 });
    let passed = 0;
    for (let n = 0; n < 1_000_000; n += 1) {
      table.take(client(n), 128, n);
      // Once in 100 ms, for 1,000 seconds.
      if (n % 100 === 0 && table.take(at('192.0.2.1'), 128, n)) passed += 1;
    }
    expect(memory.byteLength).toBe(size);
    // Its bucket is one of the emptiest, so it is not what is forgotten.
    expect(passed).toBeGreaterThanOrEqual(1_000);
    expect(passed).toBeLessThan(1_100);
  });
});

describe('the backends that clients had', () => {
  const duration = 10_000;

  it('are known for as long as it was said, by whoever shares the memory', () => {
    const memory = createAffinityTable(0.5);
    const [one, other] = [new AffinityTable(memory), new AffinityTable(memory)];
    const start = 1_795_374_241_158;
    one.remember(at('10.0.0.1'), 0, 77, start);
    expect(other.backendOf(at('10.0.0.1'), 0, start + duration, duration)).toBe(77);
    expect(other.backendOf(at('10.0.0.1'), 0, start + duration + 1, duration)).toBe(-1);
    expect(other.backendOf(at('10.0.0.2'), 0, start, duration)).toBe(-1);
    expect(other.backendOf(at('10.0.0.1'), 1, start, duration)).toBe(-1);
    other.remember(at('10.0.0.1'), 0, 78, start + 1);
    expect(one.backendOf(at('10.0.0.1'), 0, start + duration + 1, duration)).toBe(78);
  });

  it('are what was remembered last, or nothing', () => {
    const commands = fc.array(fc.tuple(fc.nat(20), fc.nat(2 ** 31 - 1), fc.nat(6_000)), { maxLength: 100 });
    fc.assert(
      fc.property(commands, (all) => {
        const table = new AffinityTable(createAffinityTable(0.25));
        const known = new Map<number, { backend: number; time: number }>();
        let now = 0;
        for (const [n, backend, wait] of all) {
          now += wait;
          const expected = known.get(n);
          const isFresh = expected && now - expected.time <= duration;
          expect(table.backendOf(client(n), 0, now, duration)).toBe(isFresh ? expected.backend : -1);
          table.remember(client(n), 0, backend, now);
          known.set(n, { backend, time: now });
        }
      }),
      { numRuns: 50 },
    );
  });

  it('are bounded under a million clients: the latest are known, the first are forgotten', () => {
    const memory = createAffinityTable(0.5);
    const size = memory.byteLength;
    const table = new AffinityTable(memory);
    const count = 1_000_000;
    for (let n = 0; n < count; n += 1) table.remember(client(n), 0, n, n / 1_000);
    const knows = (n: number): boolean => table.backendOf(client(n), 0, count / 1_000, duration) === n;
    const latest = Array.from({ length: 20_000 }, (_, n) => knows(count - 1 - n));
    expect(latest.filter(Boolean).length).toBeGreaterThan(19_900);
    expect(Array.from({ length: 100_000 }, (_, n) => knows(n)).some(Boolean)).toBe(false);
    expect(memory.byteLength).toBe(size);
  });

  it('are absent where what was written has been mixed with something else', () => {
    const memory = createAffinityTable(0.5);
    const table = new AffinityTable(memory);
    const random = createSeededRandom(1);
    const cells = new Int32Array(memory);
    table.remember(at('10.0.0.1'), 0, 77, 0);
    const place = cells.indexOf(77) - 1;
    for (const cell of [1, 2, 3]) {
      const before = cells[place + cell] ?? 0;
      cells[place + cell] = before ^ (1 << Math.floor(random() * 29));
      expect(table.backendOf(at('10.0.0.1'), 0, 0, duration)).toBe(-1);
      cells[place + cell] = before;
    }
    expect(table.backendOf(at('10.0.0.1'), 0, 0, duration)).toBe(77);
  });
});
