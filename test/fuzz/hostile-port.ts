import type { Endpoint } from '../../src/net/net.ts';
import type { Received } from '../helpers/lab.ts';

/** What a hostile peer needs of a UDP port, simulated or real. */
export interface HostilePort {
  onDatagram: ((datagram: Received) => void) | undefined;
  send(bytes: Uint8Array, to: Endpoint): void;
}
