import type { CloseHow, FtpEffects, FtpSessionEnd, FtpSessionOptions } from './effects.ts';
import type { BackendForm } from './session-backend-leg.ts';
import type { DataChannel, DataEvent } from './session-data.ts';
import type { SessionFacts } from './session-facts.ts';
import type { ClientQueue } from './session-queue.ts';
import type { Reply } from './replies.ts';
import type { Timers } from './session-timers.ts';
import type { ClientVoice } from './session-voice.ts';

/** What the parts of a session share. */
export interface SessionContext {
  readonly effects: FtpEffects;
  readonly options: FtpSessionOptions;
  readonly timers: Timers;
  readonly voice: ClientVoice;
  readonly facts: SessionFacts;
  readonly data: DataChannel;
  /** Ways to the backend's data connection that have failed in this session. */
  readonly failedForms: Set<BackendForm>;
  /** Closes the connection to the backend; what it has said and was not read is forgotten. */
  dropBackend(how: CloseHow): void;
  /** The work that is in progress is over, and the next command may be taken. */
  done(): void;
  /** Ends the session; `last` is what the client is told, behind the final reply of what is in progress. */
  end(end: FtpSessionEnd, last: Reply | undefined, now: number): void;
}

/** What a session does with one command. There is one work at a time. */
export interface Work {
  /** False: nobody waits for that reply. */
  onReply(reply: Reply, now: number): boolean;
  /** The pair is up to date by then. */
  onData?(event: DataEvent, now: number): void;
  /** `work`, or `data` if it is the work's own. */
  onTimer(name: 'work' | 'data', now: number): void;
  /** Something may have changed among the commands that wait. */
  onQueue?(queue: ClientQueue, now: number): void;
  /** True: the work took the end of the backend's connection as its answer, and has ended the session. */
  onBackendEnd?(now: number): boolean;
  /** The session ends: the last chance to answer and to report. */
  abandon(end: FtpSessionEnd, now: number): void;
}
