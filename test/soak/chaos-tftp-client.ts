/** A client of TFTP that transfers one file after the other, from an address of its own. */
import type { Net } from '../../src/net/net.ts';
import { formatEndpoint } from '../../src/net/net.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { download, upload } from '../../src/tftp/client.ts';
import type { TransferRequest } from '../../src/tftp/client-transfer.ts';
import type { Host, HostTidSocket } from '../../src/tftp/host.ts';
import type { TftpOptions } from '../../src/tftp/negotiation.ts';
import { Opcode, opcodeOf } from '../../src/tftp/packet.ts';
import type { Trace } from '../../src/tftp/trace.ts';
import type { Noise } from '../fuzz/noise.ts';
import { sinkInto, sourceOf } from '../helpers/content.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { type ChaosClient, failed, type Load, type Outcome, received, type Task } from './chaos-attempts.ts';

/** Seven seconds of silence in all: longer than any server is stopped. */
const retry = { timeout: 300, retries: 4 };

export class TftpClient implements ChaosClient {
  readonly #load: Load;
  readonly #noise: Noise;
  readonly #net: Net = createNodeNet();
  readonly #address: string = ownLoopback();
  /** Of the latest transfer. */
  #port = 0;
  #requests = 0;

  constructor(load: Load, noise: Noise) {
    this.#load = load;
    this.#noise = noise;
  }

  async attempt(): Promise<Outcome> {
    const task = this.#load.task(this.#noise);
    this.#requests = 0;
    const outcome = await this.#transfer(task).catch(failed);
    const client = formatEndpoint(this.#address, this.#port);
    this.#load.record(task, outcome, { client, requests: this.#requests });
    return outcome;
  }

  async #transfer(task: Task): Promise<Outcome> {
    const request = this.#requestOf(task);
    if (task.op === 'write') {
      await upload(this.#host, request, sourceOf(task.content));
      return { kind: 'done' };
    }
    const sink = sinkInto();
    await download(this.#host, request, sink);
    return received(task.content, sink.bytes());
  }

  /** It opens its sockets at the client's address, which decides which worker hears it. */
  get #host(): Host {
    return {
      ...this.#net,
      openTid: (_peer, handlers, receiveBuffer): HostTidSocket => {
        const at = { address: this.#address, port: 0, ...(receiveBuffer !== undefined && { receiveBuffer }) };
        const socket = this.#net.bindUdp(at, handlers);
        this.#port = socket.port;
        return Object.assign(socket, { pinned: () => {} });
      },
    };
  }

  #requestOf({ op, file, content }: Task): TransferRequest {
    const options = this.#optionsFor(op === 'read' ? 0 : content.length);
    const trace: Trace = (direction, packet) => {
      const opcode = opcodeOf(packet);
      const isRequest = opcode === Opcode.rrq || opcode === Opcode.wrq;
      if (direction === 'sent' && isRequest) this.#requests += 1;
    };
    return { server: this.#load.listener, file, mode: 'octet', options, retry, dally: 0, trace };
  }

  #optionsFor(tsize: number): TftpOptions {
    return {
      ...(this.#noise.chance(0.5) && { blksize: this.#noise.int(256, 1_428) }),
      ...(this.#noise.chance(0.3) && { windowsize: this.#noise.int(1, 8) }),
      ...(this.#noise.chance(0.3) && { tsize }),
    };
  }
}
