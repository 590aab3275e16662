import type { DataAddress, DataFailure, RelayOutcome } from './effects.ts';
import type { DataEvent } from './session-data.ts';

/** What the engine tells of data connections (FtpInputs), as one kind of thing. */
export abstract class DataInputs {
  protected abstract onData(generation: number, event: DataEvent, now: number): void;

  onClientListening(generation: number, at: DataAddress, now: number): void {
    this.onData(generation, { kind: 'client-listening', at }, now);
  }

  onClientListenFailed(generation: number, failure: DataFailure, now: number): void {
    this.onData(generation, { kind: 'client-failed', failure }, now);
  }

  onClientDataOpen(generation: number, now: number): void {
    this.onData(generation, { kind: 'client-open' }, now);
  }

  onClientDataFailed(generation: number, failure: DataFailure, now: number): void {
    this.onData(generation, { kind: 'client-failed', failure }, now);
  }

  onBackendListening(generation: number, at: DataAddress, now: number): void {
    this.onData(generation, { kind: 'backend-listening', at }, now);
  }

  onBackendListenFailed(generation: number, failure: DataFailure, now: number): void {
    this.onData(generation, { kind: 'backend-failed', failure }, now);
  }

  onBackendDataOpen(generation: number, now: number): void {
    this.onData(generation, { kind: 'backend-open' }, now);
  }

  onBackendDataFailed(generation: number, failure: DataFailure, now: number): void {
    this.onData(generation, { kind: 'backend-failed', failure }, now);
  }

  onRelayDone(generation: number, outcome: RelayOutcome, now: number): void {
    this.onData(generation, { kind: 'relay-done', outcome }, now);
  }
}
