/**
 * A session and a recording fake of its engine. A script is a list of steps: what happens, and behind it all that the
 * session has the engine do about it.
 *
 *   ['client: RETR f', 'backend EPSV'],
 */
import { expect } from 'vitest';
import {
  defaultFtpCaps,
  defaultFtpTimeouts,
  type FtpEffects,
  type FtpSessionOptions,
  type RelayEnd,
  type SessionRecord,
  type TransferRecord,
} from '../../../src/ftp/effects.ts';
import { FtpSession } from '../../../src/ftp/session.ts';
import { bytes, textOf } from './streams.ts';

export type Step = readonly [input: string, ...effects: string[]];

export const defaultOptions: FtpSessionOptions = {
  client: '192.0.2.7',
  isByUser: false,
  clientModes: 'active,passive',
  backendData: 'passive',
  portAddress: 'client',
  backendPasvAddress: 'ignore',
  isReadOnly: false,
  denied: new Set(),
  timeouts: defaultFtpTimeouts,
  caps: defaultFtpCaps,
  maxWaiting: 16,
};

/** A session that has found its backend and logged in. */
export const login: readonly Step[] = [
  ['backend connected'],
  ['backend: 220 hello', 'greeted', 'client 220 hello'],
  ['client: USER joe', 'backend USER joe'],
  ['backend: 331 password?', 'client 331 password?'],
  ['client: PASS secret', 'backend PASS secret'],
  ['backend: 230 welcome', 'login joe', 'client 230 welcome'],
];

export class Scene {
  readonly session: FtpSession;
  readonly transfers: TransferRecord[] = [];
  readonly ends: SessionRecord[] = [];
  /** Whether the client takes what it is sent. */
  isReading = true;
  /** What `abortData` says that the relay had moved. */
  aborted = 0;
  now = 1_000;
  #effects: string[] = [];

  constructor(options: Partial<FtpSessionOptions> = {}) {
    this.session = new FtpSession({ ...defaultOptions, ...options }, this.#fake());
    this.session.start(this.now);
  }

  /** All effects since the last call. */
  take(): string[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  play(...steps: readonly Step[]): this {
    for (const [input, ...effects] of steps) {
      this.send(input);
      expect([input, ...this.take()]).toEqual([input, ...effects]);
    }
    return this;
  }

  /** `backend: A\nB` is two lines in one segment. */
  send(input: string): void {
    const { session, now } = this;
    const line = /^(client|backend): (.*)$/s.exec(input);
    if (line !== null) {
      const data = bytes(`${line[2]?.replaceAll('\n', '\r\n')}\r\n`);
      if (line[1] === 'client') session.onClientBytes(data, now);
      else session.onBackendBytes(data, now);
      return;
    }
    const words = input.split(' ');
    if (words[0] === 'wait') this.#wait(Number(words[1]));
    else this.#tell(words);
  }

  #tell(words: readonly string[]): void {
    const { session, now } = this;
    const [who = '', what = '', third = '', fourth = '0'] = words;
    const generation = Number(third);
    const at = { address: who === 'client' ? '198.51.100.1' : '10.0.0.1', port: 5_000 };
    const inputs: Record<string, () => void> = {
      'client end': () => session.onClientEnd(now),
      'client reset': () => session.onClientReset(now),
      'client drained': () => session.onClientDrain(now),
      'client listening': () => session.onClientListening(generation, at, now),
      'client full': () => session.onClientListenFailed(generation, 'no-ports', now),
      'client open': () => session.onClientDataOpen(generation, now),
      'client failed': () => session.onClientDataFailed(generation, 'refused', now),
      'backend connected': () => session.onBackendConnected(now),
      'backend unavailable': () => session.onBackendUnavailable(now),
      'backend none': () => session.onNoBackend('no-backend', now),
      'backend out-of-reach': () => session.onNoBackend('no-resources', now),
      'backend unknown': () => session.onUnknownUser(now),
      'backend end': () => session.onBackendEnd(now),
      'backend reset': () => session.onBackendReset(now),
      'backend listening': () => session.onBackendListening(generation, at, now),
      'backend listening6': () =>
        session.onBackendListening(generation, { address: 'fd00::1', port: 5_000 }, now),
      'backend full': () => session.onBackendListenFailed(generation, 'no-resources', now),
      'backend open': () => session.onBackendDataOpen(generation, now),
      'backend failed': () => session.onBackendDataFailed(generation, 'refused', now),
      'relay clean': () => this.#relayDone(generation, 'clean', fourth),
      'relay client-reset': () => this.#relayDone(generation, 'client-reset', fourth),
      'relay backend-reset': () => this.#relayDone(generation, 'backend-reset', fourth),
      'relay stalled': () => this.#relayDone(generation, 'stalled', fourth),
      'relay aborted': () => this.#relayDone(generation, 'aborted', fourth),
      'session drain': () => session.drain(now),
      'session shutdown': () => session.shutdown(now),
    };
    const input = inputs[`${who} ${what}`];
    if (input === undefined) throw new Error(`no such input: ${words.join(' ')}`);
    input();
  }

  #relayDone(generation: number, end: RelayEnd, count: string): void {
    this.session.onRelayDone(generation, { end, bytes: Number(count) }, this.now);
  }

  /** Lets time pass, and has the timer fire whenever it is due. */
  #wait(duration: number): void {
    const until = this.now + duration;
    while (this.session.deadline <= until) {
      this.now = Math.max(this.now, this.session.deadline);
      this.session.onTimer(this.now);
    }
    this.now = until;
  }

  #fake(): FtpEffects {
    const note = (...words: readonly (string | number)[]): void => {
      this.#effects.push(words.join(' '));
    };
    const lines = (who: string, data: Uint8Array): void => {
      const text = textOf(data);
      expect(text.endsWith('\r\n')).toBe(true);
      note(who, text.slice(0, -2).replaceAll('\r\n', '\n'));
    };
    return {
      toClient: (data) => {
        lines('client', data);
        return this.isReading;
      },
      toBackend: (data) => lines('backend', data),
      pauseClient: () => note('pause client'),
      resumeClient: () => note('resume client'),
      pauseBackend: () => note('pause backend'),
      resumeBackend: () => note('resume backend'),
      closeClient: (how) => note('close client', how),
      closeBackend: (how) => note('close backend', how),
      connectBackend: (user) => note(...['connect', user].filter((word) => word !== '')),
      listenForClient: (generation, form) => note('listen client', generation, form),
      connectToClient: (generation, to) => note('connect client', generation, `${to.address}:${to.port}`),
      listenForBackend: (generation) => note('listen backend', generation),
      connectToBackend: (generation, to) =>
        note('connect backend', generation, `${to.address ?? ''}:${to.port}`),
      dropBackendLeg: (generation) => note('drop backend', generation),
      startRelay: (generation, direction) => note('relay', generation, direction),
      abortData: (generation, reason) => {
        note('abort', generation, reason);
        return this.aborted;
      },
      greetingFailed: (reason) => note('failed', reason),
      greeted: () => note('greeted'),
      loggedIn: (user) => note('login', user),
      refused: (reason, verb) => note('refused', reason, verb),
      transferEnded: (record) => {
        this.transfers.push(record);
        note('transfer', record.verb, record.result, record.code ?? '-', record.bytes);
      },
      sessionEnded: (record) => {
        this.ends.push(record);
        note('session', record.end);
      },
    };
  }
}

/** A session behind `login`, with no effects left to take. */
export function loggedIn(options: Partial<FtpSessionOptions> = {}): Scene {
  const scene = new Scene(options);
  for (const [input] of login) scene.send(input);
  scene.take();
  return scene;
}

/** How a session ends towards both sides. */
export function closed(end: string, how: 'fin' | 'reset' = 'fin'): string[] {
  return ['close client fin', `close backend ${how}`, `session ${end}`];
}

export const bye = 'client 421 Service not available, closing control connection.';
export const noData = 'client 425 Cannot open data connection.';
export const broken = 'client 426 Connection closed; transfer aborted.';
export const go: Step = ['backend: 150 go', 'client 150 go'];

/** A transfer of generation 1, behind PASV: the backend's leg is open, and the client's if it has connected. */
export function transfer(
  command: string,
  hasConnected = true,
  options: Partial<FtpSessionOptions> = {},
): Scene {
  const scene = loggedIn(options);
  for (const input of ['client: PASV', 'client listening 1']) scene.send(input);
  if (hasConnected) scene.send('client open 1');
  for (const input of [`client: ${command}`, 'backend: 229 ok (|||6000|)']) scene.send(input);
  scene.take();
  scene.send('backend open 1');
  expect(scene.take()[0]).toBe(`backend ${command}`);
  return scene;
}
