import type { Socket } from 'node:dgram';
import { describe, expect, it } from 'vitest';
import { DatagramSender } from '../../../src/net/node-sender.ts';

/** A socket whose send buffer takes `room` datagrams; what does not fit waits, by reference as in node:dgram. */
class StubSocket {
  readonly sent: string[] = [];
  readonly #waiting: Uint8Array[] = [];
  #room: number;

  constructor(room: number) {
    this.#room = room;
  }

  getSendQueueCount(): number {
    return this.#waiting.length;
  }

  send(data: Uint8Array): void {
    if (this.#room-- > 0) this.sent.push(Buffer.from(data).toString());
    else this.#waiting.push(data);
  }

  makeRoom(): void {
    for (const data of this.#waiting.splice(0)) this.sent.push(Buffer.from(data).toString());
    this.#room = Infinity;
  }

  asSocket(): Socket {
    return this as unknown as Socket;
  }
}

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('DatagramSender', () => {
  it('drops what comes while a datagram waits, which keeps its bytes', async () => {
    const sender = new DatagramSender();
    const [slow, other] = [new StubSocket(1), new StubSocket(Infinity)];
    const to = { address: '192.0.2.1', port: 69 };
    const errors: string[] = [];
    const send = (socket: StubSocket, text: string): void =>
      sender.send(socket.asSocket(), Buffer.from(text), to, (error) => errors.push(error?.message ?? ''));

    send(slow, 'sent');
    send(slow, 'waits');
    send(slow, 'dropped');
    send(other, 'overtakes');
    expect(errors).toEqual([]);
    await nextTick();
    expect(errors).toEqual(['cannot send: the send buffer is full']);

    slow.makeRoom();
    send(slow, 'later');
    expect(slow.sent).toEqual(['sent', 'waits', 'later']);
    expect(other.sent).toEqual(['overtakes']);
  });
});
