/** Both ends of a transfer in a Scene: the machines of src/tftp, run by its Exchange. */
import { ClientMachine } from '../../../src/tftp/client-machine.ts';
import { Exchange } from '../../../src/tftp/exchange.ts';
import type { Machine } from '../../../src/tftp/machine.ts';
import { optionPairs, shapeOf, type TftpOptions } from '../../../src/tftp/negotiation.ts';
import {
  encodeAck,
  encodeError,
  encodeOack,
  encodeRequest,
  ErrorCode,
  isError,
  Opcode,
} from '../../../src/tftp/packet.ts';
import { Receiver } from '../../../src/tftp/receiver.ts';
import { Sender } from '../../../src/tftp/sender.ts';
import { blocksOf } from '../../../src/tftp/source.ts';
import { fileOf } from './content.ts';
import type { Relay } from './relay-model.ts';
import type { Backend, Scene } from './relay-scene.ts';

/** Milliseconds for which the receiver answers repeats of the last block. */
const dally = 8_000;

type Send = (packet: Uint8Array) => void;

/** What one end has got so far, and how it ended. */
abstract class ModelPeer {
  readonly received: number[] = [];
  /** Undefined while it runs. */
  ended: 'complete' | 'failed' | undefined;
  protected readonly scene: Scene;

  constructor(scene: Scene) {
    this.scene = scene;
  }

  protected exchange(machine: Machine, send: Send): Exchange {
    return new Exchange({
      clock: this.scene.clock,
      machine,
      send,
      dally,
      onEnd: (error) => {
        if (this.ended !== undefined) throw new Error('a transfer ended twice');
        this.ended = error === undefined ? 'complete' : 'failed';
      },
      onClosed: () => {},
    });
  }

  protected sender(granted: TftpOptions, opening: Uint8Array | undefined, send: Send): Sender {
    const shape = shapeOf(granted);
    const read = blocksOf(fileOf(this.scene.content), 'octet', shape);
    return new Sender({ ...shape, retry: this.scene.retry, opening, read, send });
  }

  protected receiver(granted: TftpOptions, opening: Uint8Array | undefined, send: Send): Receiver {
    const sink = {
      write: (bytes: Uint8Array): boolean => {
        this.received.push(...bytes);
        return true;
      },
      end: (): void => {},
    };
    return new Receiver({ ...shapeOf(granted), retry: this.scene.retry, opening, sink, send });
  }
}

export class ModelClient extends ModelPeer {
  readonly #machine: ClientMachine;
  readonly #exchange: Exchange;
  /** The VIP TID that answered first. */
  #pinned: Relay | undefined;

  constructor(scene: Scene) {
    super(scene);
    const { operation, asked = {} } = scene.options;
    const opcode = scene.isRead ? Opcode.rrq : Opcode.wrq;
    const send: Send = (packet) => this.#send(packet);
    this.#machine = new ClientMachine({
      operation,
      request: encodeRequest(opcode, 'f', 'octet', optionPairs(asked)),
      asked,
      retry: scene.retry,
      send,
      begin: (granted, opening) =>
        scene.isRead ? this.receiver(granted, opening, send) : this.sender(granted, opening, send),
    });
    this.#exchange = this.exchange(this.#machine, send);
  }

  start(): void {
    this.#exchange.start();
  }

  onPacket(packet: Uint8Array, from: Relay): void {
    if (this.#pinned === undefined) {
      if (!this.#machine.isReply(packet)) throw new Error('this is no answer to the request');
      this.#pinned = from;
    }
    if (this.#pinned === from || this.scene.options.singlePort) this.#exchange.onPacket(packet);
    else if (!isError(packet)) this.scene.fromClient(encodeError(ErrorCode.unknownTid, ''), from);
  }

  #send(packet: Uint8Array): void {
    // Before the first reply there is no TID that an ERROR could go to.
    if (this.#pinned !== undefined || !isError(packet)) this.scene.fromClient(packet, this.#pinned);
  }
}

/** One transfer of a backend. */
export class ModelServer extends ModelPeer {
  readonly backend: Backend;
  readonly #relay: Relay;
  readonly #exchange: Exchange;

  constructor(scene: Scene, backend: Backend, relay: Relay) {
    super(scene);
    this.backend = backend;
    this.#relay = relay;
    this.#exchange = this.exchange(this.#machine(), (packet) => this.#send(packet));
  }

  start(): void {
    if (this.backend.kind === 'lacks') this.#send(encodeError(ErrorCode.fileNotFound, 'not here'));
    else this.#exchange.start();
  }

  onPacket(packet: Uint8Array): void {
    if (this.backend.kind === 'serves') this.#exchange.onPacket(packet);
  }

  #machine(): Machine {
    const { asked, limits } = this.scene.options;
    const granted = asked && {
      blksize: Math.min(asked.blksize, limits.blksize),
      windowsize: Math.min(asked.windowsize, limits.windowsize),
    };
    const oack = granted && encodeOack(optionPairs(granted));
    const send: Send = (packet) => this.#send(packet);
    return this.scene.isRead
      ? this.sender(granted ?? {}, oack, send)
      : this.receiver(granted ?? {}, oack ?? encodeAck(0), send);
  }

  #send(packet: Uint8Array): void {
    const copy = packet.slice();
    this.scene.carry(() => this.#relay.fromBackend(this, copy));
  }
}
