import type { SessionResult } from './session-verdicts.ts';

/** Milliseconds. */
export interface SessionTiming {
  readonly tryInterval: number;
  readonly idleTimeout: number;
}

/**
 * A session between two processes: the fields of TftpSession, as plain data. Moments are milliseconds ago, since each
 * process counts its time from another moment.
 */
export interface SavedSession extends SessionTiming {
  readonly isRead: boolean;
  readonly retryNotFound: boolean;
  readonly grantedIdleTimeout: number;
  readonly dallyTime: number;
  readonly phase: number;
  readonly blockSize: number;
  readonly windowSize: number;
  readonly hasOack: boolean;
  readonly lastBlock: number;
  readonly lastAck: number;
  readonly finalBlock: number;
  readonly hasGap: boolean;
  readonly clientSpoke: boolean;
  readonly owedWithoutProof: number;
  readonly askedAgo: number;
  readonly triedAgo: number;
  readonly canRetry: boolean;
  readonly backendHeardAgo: number;
  readonly clientHeardAgo: number;
  readonly activeAgo: number;
  readonly endedAgo: number;
  readonly result: SessionResult | undefined;
  readonly bytes: number;
  readonly blocks: number;
  readonly repeats: number;
  readonly tries: number;
}
