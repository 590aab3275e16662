import type { TftpRequest } from '../tftp/request.ts';
import type { Listener } from './listeners.ts';

/** What a session is opened with. */
export interface SessionOpening {
  readonly listener: Listener;
  readonly clientPort: number;
  readonly clientAddress: string;
  readonly request: TftpRequest;
  /** The request as the client sent it, one character a byte: less memory than an array of its own. */
  readonly received: string;
  /** The request as backends get to see it, likewise. */
  readonly forwarded: string;
  /** Its file. */
  readonly file: string;
  /** Place of its route among those of the service, or `noRoute`. */
  readonly route: number;
  readonly now: number;
}
