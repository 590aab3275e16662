import type { FtpEffects, FtpInputs, FtpSessionOptions } from '../ftp/effects.ts';
import type { UserMap } from '../ftp/user-map.ts';
import type { Net } from '../net/net.ts';
import type { Emit } from '../observe/events.ts';
import type { Departures } from './departures.ts';
import type { FtpTls } from './ftp-tls.ts';
import type { PassivePorts } from './passive-ports.ts';
import type { ServiceBackends } from './service-backends.ts';
import type { FtpService } from './snapshot.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** Makes the machine that decides for one session. */
export type CreateFtpMachine = (options: FtpSessionOptions, effects: FtpEffects) => FtpInputs;

/** What the service that a session belongs to asks of it. */
export interface ServiceSession {
  /** Numeric. */
  readonly clientAddress: string;
  start(): void;
  /** Ends as soon as nothing is under way. */
  drain(): void;
  shutdown(): void;
}

/** What an FTP session asks of the service that it belongs to. */
export interface FtpSessionHost {
  readonly net: Net;
  readonly wheel: TimerWheel;
  readonly departures: Departures;
  readonly backends: ServiceBackends;
  /** As of now: all are replaced with snapshots. */
  readonly ports: PassivePorts;
  readonly service: FtpService;
  /** Which backend each user has; undefined where that is no matter of the user's. */
  readonly users: UserMap | undefined;
  readonly tls: FtpTls;
  readonly emit: Emit;
  readonly createMachine: CreateFtpMachine;
  /** Nothing is left of the session but connections that wait for their end. */
  onEnded(session: ServiceSession): void;
}
