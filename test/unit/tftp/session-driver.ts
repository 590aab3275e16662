/** The session machine alone, driven by anything in any order. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { Opcode } from '../../../src/tftp/packet.ts';
import { TftpSession } from '../../../src/tftp/session.ts';
import { RepeatVerdict, TimerVerdict, Verdict } from '../../../src/tftp/session-verdicts.ts';
import type { Runs } from './session-model.ts';

/** What an address gets at most that has proved nothing and has asked once. */
const unprovenBound = 8;

const opcode = fc.integer({ min: Opcode.data, max: Opcode.oack });
const block = fc.oneof(
  { weight: 6, arbitrary: fc.nat(6) },
  { weight: 1, arbitrary: fc.integer({ min: 65_530, max: 65_535 }) },
  { weight: 1, arbitrary: fc.nat(65_535) },
);
const length = fc.oneof(fc.constantFrom(4, 5, 12, 515, 516, 517), fc.integer({ min: 4, max: 65_507 }));
const value = fc.option(fc.oneof(fc.nat(16), fc.nat(2 ** 40)), { nil: undefined });

const action = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('backend' as const), opcode, block, length }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('client' as const), opcode, block, length }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('asked' as const), isLast: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), time: fc.oneof(fc.nat(900), fc.nat(20_000)) }),
  },
);

const setting = fc.record({
  isRead: fc.boolean(),
  retryNotFound: fc.boolean(),
  tryInterval: fc.integer({ min: 10, max: 5_000 }),
  idleTimeout: fc.integer({ min: 2_000, max: 120_000 }),
  granted: fc.record({ blksize: value, windowsize: value, timeout: value }),
});

type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;
type Action = typeof action extends fc.Arbitrary<infer T> ? T : never;

/** Drives a machine with whatever comes, as an engine would, and holds it to what must be true of any machine. */
class Driver {
  readonly session: TftpSession;
  now = 0;
  ends = 0;
  isClosed = false;
  readonly #setting: Setting;
  #isActive = true;
  #result: TftpSession['result'];
  #unproven = 0;
  #requests = 1;
  #isProven = false;
  #errorPassed = false;

  constructor(setting: Setting) {
    this.#setting = setting;
    this.session = new TftpSession(setting.isRead, setting.retryNotFound, setting, 0);
  }

  act(action: Action): void {
    switch (action.kind) {
      case 'backend':
        this.#onBackend(action.opcode, action.block, action.length);
        break;
      case 'client':
        this.#onClient(action.opcode, action.block, action.length);
        break;
      case 'repeat':
        if (this.session.onRepeat(this.now) !== RepeatVerdict.renew) this.#requests += 1;
        break;
      case 'asked':
        this.#asked(action.isLast);
        break;
      case 'wait':
        this.passTime(action.time);
        break;
    }
    this.#check();
  }

  /** Time goes on, and the timer is called whenever it is due. */
  passTime(time: number): void {
    const end = this.now + time;
    while (!this.isClosed && this.session.deadline <= end) {
      this.now = Math.max(this.now, this.session.deadline);
      this.#onTimer();
      this.#check();
    }
    this.now = end;
  }

  #onBackend(opcode: number, block: number, length: number): void {
    const { isAnswered, bytes } = this.session;
    const verdict = this.session.onBackend(opcode, block, length, this.now);
    if (verdict >= Verdict.dropUnexpected || verdict === Verdict.retryNotFound) return;
    expect(this.#errorPassed).toBe(false);
    const pins = verdict === Verdict.relayAndPin || verdict === Verdict.relayPinAndEnd;
    expect(pins).toBe(!isAnswered);
    if (!this.#setting.isRead) expect(this.session.bytes).toBe(bytes);
    if (!this.#isProven) this.#unproven += 1;
    expect(this.#unproven).toBeLessThan(unprovenBound + this.#requests);
    if (opcode === Opcode.error) this.#errorPassed = true;
    // Whoever has just been answered has all the idle time to go on.
    else if (pins) expect(this.session.deadline).toBe(this.now + this.#setting.idleTimeout);
    if (!pins || opcode !== Opcode.oack) return;
    const { blksize, windowsize, timeout } = this.#setting.granted;
    this.session.granted(blksize, windowsize, timeout);
  }

  #onClient(opcode: number, block: number, length: number): void {
    const { bytes } = this.session;
    const verdict = this.session.onClient(opcode, block, length, this.now);
    if (this.#setting.isRead) expect(this.session.bytes).toBe(bytes);
    if (verdict >= Verdict.dropUnexpected) return;
    expect([this.session.isAnswered, this.#errorPassed]).toEqual([true, false]);
    this.#isProven = true;
    if (opcode === Opcode.error) this.#errorPassed = true;
  }

  #asked(isLast: boolean): void {
    if (this.session.isAnswered) return;
    if (isLast) this.session.exhausted();
    else this.session.asked(this.now);
  }

  #onTimer(): void {
    const { isActive } = this.session;
    const verdict = this.session.onTimer(this.now);
    expect(verdict).not.toBe(TimerVerdict.wait);
    if (verdict === TimerVerdict.retry) {
      expect([this.#setting.isRead, this.session.isAnswered]).toEqual([true, false]);
      this.session.exhausted();
      return;
    }
    expect(verdict).toBe(isActive ? TimerVerdict.endAndClose : TimerVerdict.close);
    this.isClosed = true;
  }

  #check(): void {
    const { result, isActive } = this.session;
    if (this.#result !== undefined) expect(result).toBe(this.#result);
    this.#result = result;
    if (this.#isActive && !isActive) expect(result).toBeDefined();
    if (this.#isActive && !isActive) this.ends += 1;
    this.#isActive = isActive;
    if (result === 'ok-unacked') expect(this.#setting.isRead).toBe(true);
  }
}

/** Promises are kept whatever is told in whatever order, and the end comes as soon as nothing more happens. */
export function keepsPromises(runs: Runs): void {
  const property = fc.property(setting, fc.array(action, { maxLength: 60 }), (setting, actions) => {
    const driver = new Driver(setting);
    for (const action of actions) {
      if (!driver.isClosed) driver.act(action);
    }
    const patience = 6_000 * Math.min(setting.granted.timeout ?? 0, 255);
    driver.passTime(Math.max(setting.idleTimeout, patience, 15_000) + setting.tryInterval);
    expect(driver.isClosed).toBe(true);
    expect(driver.session.result).toBeDefined();
    expect(driver.ends).toBeGreaterThanOrEqual(1);
  });
  fc.assert(property, runs);
}
