import { decodeRequest, type TftpRequest } from '../tftp/request.ts';
import type { Listener } from './listeners.ts';
import type { SavedRelay } from './saved-relay.ts';

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

/** What a saved session was opened with. */
export function reopening(saved: SavedRelay, listener: Listener, now: number): SessionOpening {
  const { received, forwarded, client, route } = saved;
  const request = decodeRequest(Buffer.from(received, 'latin1'));
  const { file } = decodeRequest(Buffer.from(forwarded, 'latin1'));
  const { address: clientAddress, port: clientPort } = client;
  return { listener, clientPort, clientAddress, request, received, forwarded, file, route, now };
}
