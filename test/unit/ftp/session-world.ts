/**
 * A client, a backend and an engine that do at random whatever they may do, and that hold the session to its promises:
 *
 *  1. No success is told for a transfer whose relay did not end clean.
 *  2. Each command gets one final reply, in order, and it is its own one.
 *  3. What the session asks the backend on its own behalf stays between the two.
 *  4. One command at a time is under way, but for ABOR and STAT behind a transfer.
 *  5. A session that waits for nobody owes nobody a reply.
 *  6. When it ends, nothing is left, and nothing follows.
 *
 * Where the backend depends on the user, all of that holds before USER and from one user to the next, too.
 */
import { expect } from 'vitest';
import type { FtpEffects, FtpSessionOptions, RelayEnd, TransferRecord } from '../../../src/ftp/effects.ts';
import { FtpSession } from '../../../src/ftp/session.ts';
import { type Chance, EngineModel } from './session-engine-model.ts';
import { defaultOptions } from './session-scene.ts';
import { bytes, textOf } from './streams.ts';

const transferLine = /^(?:RETR|STOR|APPE|STOU|LIST) /;
const ours = /^220 (?:Service ready|hello)|^230 in$/;
const ownLine = /^(?:EPSV|PASV|PORT |EPRT |PWD)/;

/** What may come out of a backend for a transfer, with what is wrong in it. */
const transferCodes = [150, 150, 150, 125, 226, 226, 226, 250, 425, 426, 450, 451, 550, 552, 332, 421];
const otherCodes = [150, 200, 200, 200, 230, 250, 257, 331, 350, 450, 530, 550];

export class World {
  readonly #session: FtpSession;
  readonly #engine: EngineModel;
  #now = 0;
  #serial = 0;
  /** Commands of the client that have no final reply. */
  #unanswered: string[] = [];
  /** Commands that the backend owes a final reply. */
  #owed: string[] = [];
  /** The transfer command that is with the backend, and whether its data have ended clean. */
  #transfer: { readonly line: string; isClean: boolean } | undefined;
  readonly #isByUser: boolean;
  #greeting: 'none' | 'connecting' | 'connected' | 'over';
  #isReading = true;
  #isClientClosed = false;
  #isOver = false;
  #isBackendPaused = false;
  #hasSwallowed = false;
  readonly transfers: TransferRecord[] = [];
  /** Final replies of transfers, as the client has them. */
  readonly told: number[] = [];

  constructor(options: Partial<FtpSessionOptions>) {
    this.#isByUser = options.isByUser ?? false;
    this.#greeting = 'none';
    this.#engine = new EngineModel(
      () => this.#session,
      () => this.#now,
    );
    this.#engine.onRelayEnd = (end: RelayEnd) => {
      if (this.#transfer !== undefined) this.#transfer.isClean = end === 'clean';
    };
    this.#session = new FtpSession(
      { ...defaultOptions, denied: new Set(['DELE']), ...options },
      this.#effects(),
    );
    this.#session.start(this.#now);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Does one of the things that may happen now; `choice`, any number, says which. */
  step(choice: number): void {
    const kinds = this.#isOver ? [this.#lateChances()] : this.#chances(choice);
    const kind = kinds[choice % kinds.length] ?? [];
    kind[Math.floor(choice / kinds.length) % kind.length]?.();
    this.#check();
  }

  /** Logs in, and asks for a data connection. */
  begin(): void {
    if (this.#isByUser) {
      this.#say('CLNT begin', 'USER joe');
      this.#session.onBackendConnected(this.#now);
      this.#greeting = 'over';
      this.#fromBackend('220 hello');
      this.#answer(500);
      this.#answer(230);
      return;
    }
    this.#session.onBackendConnected(this.#now);
    this.#greeting = 'over';
    this.#fromBackend('220 hello');
    this.#say('USER joe');
    this.#answer(230);
  }

  /** Nobody does anything any more: time alone, and relays that stall, must end the session. */
  finish(): void {
    for (let rounds = 0; !this.#isOver && rounds < 200; rounds += 1) {
      const relaying = this.#engine.alive.find((pair) => pair.relay !== undefined);
      if (relaying !== undefined) this.#engine.endRelay(relaying.generation, 'stalled');
      else if (this.#greeting === 'connecting') this.#session.onNoBackend('no-backend', this.#now);
      else this.#wait();
      this.#check();
    }
    expect(this.#isOver).toBe(true);
    expect(this.#session.deadline).toBe(Infinity);
    expect(this.#engine.alive).toEqual([]);
    for (const record of this.transfers) {
      expect(record.result === 'ok').toBe(record.code !== undefined && record.code < 300);
    }
    // Not all that were told were under way: some were answered here.
    const successes = this.told.filter((code) => code < 300).length;
    expect(this.transfers.filter(({ result }) => result === 'ok')).toHaveLength(successes);
  }

  /** Kinds of things, of which each is as likely. */
  #chances(choice: number): Chance[][] {
    if (choice % 67 === 0) return [this.#rareChances()];
    const going = [this.#engine.chances(), this.#backendChances()].filter(({ length }) => length > 0);
    const client = this.#clientChances();
    // A client that is answered nothing has less to say.
    return going.length > 0 ? [...going, ...going, ...going, client] : [client];
  }

  /** What would end most sessions too soon. */
  #rareChances(): Chance[] {
    const session = this.#session;
    const chances: Chance[] = [
      () => this.#wait(),
      () => this.#wait(),
      () => this.#wait(),
      () => (this.#isReading = false),
      () => session.drain(this.#now),
      () => session.shutdown(this.#now),
      () => session.onClientReset(this.#now),
      () => {
        this.#isClientClosed = true;
        session.onClientEnd(this.#now);
      },
      ...this.#engine.staleChances().slice(-4),
      ...this.#engine.lossChances(),
    ];
    if (this.#greeting === 'connecting' || this.#greeting === 'none') return chances;
    chances.push(
      () => session.onBackendEnd(this.#now),
      () => session.onBackendReset(this.#now),
    );
    if (this.#greeting === 'over') chances.push(() => this.#fromBackend('what is this'));
    if (this.#greeting === 'over' && this.#owed.length === 0) chances.push(() => this.#stray());
    return chances;
  }

  #lateChances(): Chance[] {
    return [
      () => this.#session.onClientBytes(bytes('NOOP\r\n'), this.#now),
      () => this.#session.onBackendBytes(bytes('226 late\r\n'), this.#now),
      () => this.#session.onTimer(this.#now),
      () => this.#session.onBackendEnd(this.#now),
      ...this.#engine.staleChances(),
    ];
  }

  #clientChances(): Chance[] {
    if (!this.#isReading) return [() => this.#drainClient()];
    if (this.#isClientClosed || this.#unanswered.length > 20) return [() => this.#wait()];
    this.#serial += 1;
    const n = this.#serial;
    const port = 'PORT 192,0,2,7,19,136';
    const numbered = 'NOOP DELE AUTH REST RETR STOR APPE LIST ABOR ABOR STAT'.split(' ');
    const lines = ['PASV', 'EPSV', port, 'USER joe', 'nonsense', ...numbered.map((verb) => `${verb} ${n}`)];
    const scripts = [
      ['PASV', `RETR ${n}a`],
      ['EPSV', `STOR ${n}a`],
      [port, `REST ${n}`, `RETR ${n}a`],
      [port, `APPE ${n}a`],
      ['PASV', `STOR ${n}a`, `NOOP ${n}b`, `ABOR ${n}c`],
      ...(n % 23 === 0 ? [['QUIT']] : []),
    ];
    if (this.#isByUser) lines.push('USER ann', 'REIN', `HOST ${n}`, `OPTS ${n}`, 'FEAT');
    const chances = [...lines.map((line) => [line]), ...scripts, ...scripts].map(
      (said) => () => this.#say(...said),
    );
    // Most of what is broken off by chance has not begun.
    if (this.#transfer !== undefined) chances.push(...repeated(20, () => this.#say(`ABOR ${n}`)));
    return chances;
  }

  #backendChances(): Chance[] {
    if (this.#isBackendPaused || this.#greeting === 'none') return [];
    if (this.#greeting === 'connecting') {
      return [
        () => {
          this.#greeting = 'connected';
          this.#session.onBackendConnected(this.#now);
        },
        () => this.#session.onBackendUnavailable(this.#now),
        ...(this.#isByUser ? [() => this.#refuseUser()] : []),
      ];
    }
    // A reply was swallowed: what the session does about it takes time alone.
    if (this.#hasSwallowed && this.#owed.length === 0) return [() => this.#wait()];
    if (this.#greeting === 'over') return this.#owed.length === 0 ? [] : this.#answers();
    return ['120 wait', '220 hello', '230 in', '421 no', 'SSH-2.0'].map((line) => () => this.#greet(line));
  }

  #answers(): Chance[] {
    const [line = '', next] = this.#owed;
    if (line.startsWith('EPSV'))
      return [229, 229, 229, 500].map((code) => () => this.#answer(code, ' (|||6000|)'));
    if (line === 'PWD') return [257, 257, 550].map((code) => () => this.#answerPath(code));
    if (line.startsWith('PASV'))
      return [227, 227, 502].map((code) => () => this.#answer(code, ' (1,2,3,4,23,112)'));
    if (line.startsWith('ABOR')) return this.#answersToAbort();
    if (!transferLine.test(line)) return otherCodes.map((code) => () => this.#answer(code));
    const answers = transferCodes.map((code) => () => this.#answer(code));
    answers.push(() => this.#fromBackend(`150 re ${line}\r\n226 re ${this.#take()}`));
    if (next?.startsWith('STAT')) {
      answers.push(() => {
        this.#owed.splice(1, 1);
        this.#fromBackend(`211 re ${next}`);
      });
    }
    if (next?.startsWith('ABOR')) {
      // One reply for two commands: some servers do so. The session finds out in time.
      const both: Chance = () => {
        this.#owed = [];
        this.#hasSwallowed = true;
        this.#fromBackend('226 aborted');
      };
      answers.push(...repeated(6, both));
    }
    return answers;
  }

  /** Never that of PWD. It may take longer than the session waits before it asks for something else. */
  #answersToAbort(): Chance[] {
    const codes = otherCodes.filter((code) => code !== 257);
    return [...codes.map((code) => () => this.#answer(code)), ...repeated(6, () => this.#wait())];
  }

  #answer(code: number, more = ''): void {
    const line = code < 200 ? this.#owed[0] : this.#take();
    this.#fromBackend(`${code} re ${line}${more}`);
  }

  /** In its right place it shows that nothing is owed any more. */
  #answerPath(code: number): void {
    if (code === 257) this.#hasSwallowed = false;
    this.#answer(code);
  }

  #take(): string {
    return this.#owed.shift() ?? '';
  }

  /** Nothing was asked: whatever it is, the session must not go on with it. */
  #stray(): void {
    this.#fromBackend('226 stray');
    expect(this.#isOver).toBe(true);
  }

  #refuseUser(): void {
    this.#greeting = 'none';
    this.#session.onUnknownUser(this.#now);
  }

  #greet(line: string): void {
    const isGood = line.startsWith('220') || line.startsWith('230');
    if (isGood) this.#greeting = 'over';
    this.#fromBackend(line);
  }

  #fromBackend(text: string): void {
    this.#session.onBackendBytes(bytes(`${text}\r\n`), this.#now);
  }

  #say(...lines: readonly string[]): void {
    this.#unanswered.push(...lines);
    this.#session.onClientBytes(bytes(lines.map((line) => `${line}\r\n`).join('')), this.#now);
  }

  #drainClient(): void {
    this.#isReading = true;
    this.#session.onClientDrain(this.#now);
  }

  #wait(): void {
    if (this.#session.deadline !== Infinity) this.#now = Math.max(this.#now, this.#session.deadline);
    this.#session.onTimer(this.#now);
  }

  #check(): void {
    const hasFound = this.#greeting === 'over' || this.#greeting === 'none';
    if (this.#isOver || !hasFound || this.#hasSwallowed) return;
    const waitsForNobody =
      this.#owed.length === 0 && !this.#engine.isBusy && this.#isReading && !this.#isBackendPaused;
    if (waitsForNobody) expect(this.#unanswered).toEqual([]);
  }

  #onReply(text: string): void {
    const [line = ''] = text.split('\r\n').slice(-2);
    const code = Number(line.slice(0, 3));
    if (code < 200 || (ours.test(line) && this.#unanswered[0] !== 'REIN')) return;
    const subject = /^\d{3} re (.*)$/.exec(line)?.[1];
    expect(subject === undefined || code >= 400 || !ownLine.test(subject)).toBe(true);
    if (code === 211 && subject !== undefined) {
      this.#unanswered = this.#unanswered.filter((waiting) => waiting !== subject);
      return;
    }
    if (code === 421 && subject === undefined) return;
    const command = this.#unanswered.shift() ?? 'nothing';
    expect(command).not.toBe('nothing');
    const isPassedOn = subject !== undefined && code < 400;
    if (isPassedOn) expect(subject).toBe(command);
    this.#onFinal(command, code);
  }

  #onFinal(command: string, code: number): void {
    if (!transferLine.test(command)) return;
    this.told.push(code);
    if (code < 300) expect(this.#transfer).toEqual({ line: command, isClean: true });
    this.#transfer = undefined;
  }

  #onCommand(line: string): void {
    const isUrgent = /^(?:ABOR|STAT) /.test(line) && transferLine.test(this.#owed[0] ?? '');
    const isBehindAbort = line === 'PWD' && (this.#owed[0] ?? 'ABOR').startsWith('ABOR');
    if (!isUrgent && !isBehindAbort) expect(this.#owed).toEqual([]);
    expect(this.#owed.length).toBeLessThan(2);
    this.#owed.push(line);
    if (transferLine.test(line)) this.#transfer = { line, isClean: false };
  }

  #effects(): FtpEffects {
    const engine = this.#engine;
    const effects: FtpEffects = {
      toClient: (data) => {
        this.#onReply(textOf(data));
        return this.#isReading;
      },
      toBackend: (data) => this.#onCommand(textOf(data).slice(0, -2)),
      pauseClient: () => {},
      resumeClient: () => {},
      pauseBackend: () => (this.#isBackendPaused = true),
      resumeBackend: () => (this.#isBackendPaused = false),
      closeClient: () => {},
      closeBackend: () => this.#onClosed(),
      connectBackend: () => (this.#greeting = 'connecting'),
      listenForClient: (generation) => engine.listenForClient(generation),
      connectToClient: (generation) => engine.connectToClient(generation),
      listenForBackend: (generation) => engine.listenForBackend(generation),
      connectToBackend: (generation) => engine.connectToBackend(generation),
      dropBackendLeg: (generation) => engine.dropBackendLeg(generation),
      startRelay: (generation, direction) => engine.startRelay(generation, direction),
      abortData: (generation) => engine.abort(generation),
      greetingFailed: () => {},
      greeted: () => {},
      loggedIn: () => {},
      refused: () => {},
      transferEnded: (record) => this.transfers.push(record),
      sessionEnded: () => {
        this.#isOver = true;
        expect(engine.alive).toEqual([]);
      },
    };
    return this.#watched(effects);
  }

  #onClosed(): void {
    this.#owed = [];
    this.#hasSwallowed = false;
    if (this.#isByUser) this.#greeting = 'none';
  }

  /** No effect may follow the end. */
  #watched(effects: FtpEffects): FtpEffects {
    return new Proxy(effects, {
      get: (target, name: keyof FtpEffects) => {
        if (this.#isOver) throw new Error(`${name} behind the end`);
        return target[name];
      },
    });
  }
}

/** Makes one chance as likely as several. */
function repeated(times: number, chance: Chance): Chance[] {
  return Array.from({ length: times }, () => chance);
}
