import type { Backend } from '../balance/pool.ts';
import type { BackendTids, TidNet } from '../net/tids.ts';
import type { DropReason, EngineEvent } from '../observe/events.ts';
import type { ErrorThrottle } from './error-throttle.ts';
import type { RelayedSession } from './relayed-session.ts';
import type { ServiceBackends } from './service-backends.ts';
import type { TftpService } from './snapshot.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** What a session asks of the service that it belongs to. */
export interface SessionHost {
  readonly net: TidNet;
  readonly tids: BackendTids;
  readonly wheel: TimerWheel;
  readonly throttle: ErrorThrottle;
  readonly backends: ServiceBackends;
  /** As of now: it is replaced with every snapshot. */
  readonly service: TftpService;
  readonly emit: (event: EngineEvent) => void;

  relayedToClient(backend: Backend, length: number): void;
  relayedToBackend(backend: Backend, length: number): void;
  dropped(reason: DropReason): void;

  /** The session has begun to count, or counts again; it has ended; nothing of it is left. */
  onActive(session: RelayedSession): void;
  onEnded(session: RelayedSession): void;
  onClosed(session: RelayedSession): void;
}
