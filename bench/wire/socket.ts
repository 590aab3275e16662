/** node:dgram as fast as it goes: addresses are numeric, so nothing is put off to a later tick. */
import { createSocket, type Socket } from 'node:dgram';

import { loopback } from '../messages.ts';

function answerAtOnce(
  address: string,
  _options: unknown,
  callback: (error: Error | null, address: string, family: number) => void,
): void {
  callback(null, address, 4);
}

/** A socket on a loopback port that the kernel chooses; bound when this returns. Throws where there is none. */
export function openSocket(): Socket {
  const socket = createSocket({ type: 'udp4', lookup: answerAtOnce });
  socket.bind({ address: loopback, port: 0, exclusive: true });
  // Throws where the bind has failed.
  socket.address();
  return socket;
}
