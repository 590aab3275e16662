/** What is told of backends: by health checks, by live traffic, by discovery, by the operator. Plain data, as all events. */

/** How one health check ended. */
export const probeOutcomes = [
  'alive',
  'timeout',
  'refused',
  'malformed',
  /** FTP: the user of the checks could not log in. */
  'login-refused',
  /** FTP: no listing could be fetched. */
  'no-data',
  /** TFTP: the file is not there, or not the expected one. */
  'wrong-content',
  /** The command of the checks ended with an exit code other than 0. */
  'command-failed',
  'failed',
] as const;
export type ProbeOutcome = (typeof probeOutcomes)[number];

export interface HealthCheck {
  readonly kind: 'health.check';
  readonly service: string;
  readonly backend: string;
  readonly outcome: ProbeOutcome;
  /** Milliseconds. */
  readonly duration: number;
}

/** The command of a health check has said something. */
export interface HealthOutput {
  readonly kind: 'health.output';
  readonly service: string;
  readonly backend: string;
  /** The first line, one character a byte (latin1). Subscribers escape it. */
  readonly line: string;
}

export interface BackendState {
  readonly kind: 'backend.state';
  readonly service: string;
  readonly backend: string;
  readonly address: string;
  readonly from: string;
  readonly to:
    | 'up'
    | 'down'
    | 'ejected'
    | 'readmitted'
    | 'added'
    | 'removed'
    /** What the operator says. */
    | 'enabled'
    | 'draining'
    | 'disabled'
    /** It was draining, and its last session has ended. */
    | 'drained';
  readonly reason: string;
  /** Who wanted it, where somebody did. */
  readonly by?: string;
}

/** The operator has given a backend another weight. */
export interface BackendWeight {
  readonly kind: 'backend.weight';
  readonly service: string;
  readonly backend: string;
  readonly address: string;
  readonly from: number;
  readonly to: number;
  readonly by: string;
}
