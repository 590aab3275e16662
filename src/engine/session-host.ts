import type { Backend } from '../balance/pool.ts';
import type { Net } from '../net/net.ts';
import type { BackendSuspect, DropReason, EngineEvent } from '../observe/events.ts';
import type { ErrorThrottle } from './error-throttle.ts';
import type { RelayedSession } from './relayed-session.ts';
import type { TftpService } from './snapshot.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** What a session asks of the service that it belongs to. */
export interface SessionHost {
  readonly net: Net;
  readonly wheel: TimerWheel;
  readonly throttle: ErrorThrottle;
  /** As of now: it is replaced with every snapshot. */
  readonly service: TftpService;
  readonly emit: (event: EngineEvent) => void;

  /** The backend to ask next, or undefined when none is eligible. `tried` has scoreboard indexes. */
  pick(client: string, tried: readonly number[]): Backend | undefined;
  /** Takes the backend out of the first rank and tells the control plane. */
  suspect(backend: Backend, reason: BackendSuspect['reason']): void;
  /** While it is held, a backend's index goes to no other. */
  hold(backend: Backend): void;
  letGo(backend: Backend): void;

  /** The active sessions of `from` are one less, those of `to` one more; undefined where there is none. */
  moveActive(from: Backend | undefined, to: Backend | undefined): void;
  relayedToClient(backend: Backend, length: number): void;
  relayedToBackend(backend: Backend, length: number): void;
  dropped(reason: DropReason): void;

  /** The session has begun to count, or counts again; it has ended; nothing of it is left. */
  onActive(session: RelayedSession): void;
  onEnded(session: RelayedSession): void;
  onClosed(session: RelayedSession): void;
}
