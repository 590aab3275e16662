/** A worker serves clients: from the start on, or again. */
export interface WorkerUp {
  readonly kind: 'worker.up';
  readonly worker: number;
  /** Times that it was started anew. */
  readonly restarts: number;
}

/** A worker has died, or could not be started again. */
export interface WorkerDown {
  readonly kind: 'worker.down';
  readonly worker: number;
  readonly error: string;
  /** Where in the code. */
  readonly stack: string;
  /** The sessions that it had, by service: nobody hears of them any more. */
  readonly lost: Readonly<Record<string, number>>;
  /** Milliseconds until it is started again; undefined if it is not. */
  readonly retry: number | undefined;
}

export type WorkerEvent = WorkerUp | WorkerDown;
