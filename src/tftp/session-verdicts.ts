/** What a session answers the engine with (session.ts), and how a transfer ends. */
import { ErrorCode } from './packet.ts';

export type SessionResult =
  | 'ok'
  | 'ok-unacked'
  | 'client-abort'
  | 'not-found'
  | 'denied'
  | 'error'
  | 'timeout'
  | 'no-backend';

/** What the engine has to do with a datagram. */
export const Verdict = {
  relay: 1,
  /** Relay, and take the source as the backend's TID. */
  relayAndPin: 2,
  /** Relay; the transfer has ended and `result` is set. */
  relayAndEnd: 3,
  /** An ERROR as the first reply: all of the above. */
  relayPinAndEnd: 4,
  /** Relay; the transfer goes on although its end was reported. */
  relayAndResume: 5,
  /** Ask another backend, or relay this ERROR 1 if there is none: then call `errorFromBackend`. */
  retryNotFound: 6,
  dropUnexpected: 7,
  dropUnproven: 8,
  dropAfterError: 9,
} as const;

/** What the engine has to do with a request that repeats the session's own, byte by byte. */
export const RepeatVerdict = { swallow: 1, resend: 2, renew: 3 } as const;

/** What the engine has to do when the session's deadline has passed. */
export const TimerVerdict = {
  wait: 0,
  /** Ask another backend; call `asked` when there is one, `exhausted` when not. */
  retry: 1,
  /** The transfer has ended, `result` is set, and nothing of it is needed any longer. */
  endAndClose: 2,
  /** It had ended before, and nothing of it is needed any longer. */
  close: 3,
} as const;

/** How a transfer has ended whose backend sent an ERROR with this code. */
export function resultOfBackendError(code: number): SessionResult {
  switch (code) {
    case ErrorCode.fileNotFound:
      return 'not-found';
    case ErrorCode.accessViolation:
      return 'denied';
    default:
      return 'error';
  }
}
