/** The whole balancer on an in-memory network, configured by files, with scripted clients and backends around it. */
import { setImmediate } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { App } from '../../../src/app.ts';
import type { Config } from '../../../src/config/config.ts';
import { ConfigError } from '../../../src/config/fault.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import type { Event } from '../../../src/observe/events.ts';
import type { ReloadOutcome } from '../../../src/observe/operator.ts';
import { createLogger } from '../../../src/observe/log.ts';
import { encodeAck, encodeData, encodeRequest, Opcode } from '../../../src/tftp/packet.ts';
import { Peer } from '../../helpers/lab.ts';
import { pass } from '../../helpers/virtual-time.ts';
import { loadFile } from '../config/scene.ts';

export const vip = '192.0.2.1';
const full = new Uint8Array(512);

/** A service in one line; more of its section may follow. */
export function service(name: string, backends: string, more = ''): string {
  return `  ${name}: { protocol: tftp, listeners: [${vip}], health: { interval: 0 }, backends: [${backends}]${more && `, ${more}`} }\n`;
}

/** A file with these services. */
export function fileOf(
  services: readonly string[],
  process = 'admin: { listen: false, socket: false }\n',
): string {
  return `services:\n${services.join('')}${process}`;
}

export interface Line {
  readonly level: string;
  readonly msg: string;
  readonly event?: string;
  readonly faults?: readonly string[];
  readonly changes?: readonly string[];
}

/** A server that hears its request port, and answers from there. */
export class Server extends Peer {
  /** How many requests it has had. */
  get asked(): number {
    return this.received.filter(({ bytes }) => bytes[1] === Opcode.rrq).length;
  }
}

export class AppScene {
  readonly net: MemoryNet = new MemoryNet({ seed: 1 });
  readonly host: MemoryHost = this.net.host([vip, '192.0.2.2']);
  readonly app: App;
  readonly events: Event[] = [];
  readonly lines: Line[] = [];
  /** What the operator has written. */
  file: string;
  #clients = 0;

  constructor(file: string) {
    this.file = file;
    const load = (): Config => {
      const loaded = loadFile(this.file);
      if (loaded.kind === 'faulty') throw new ConfigError(loaded.faults);
      return loaded.config;
    };
    const write = (line: string): void => void this.lines.push(JSON.parse(line) as Line);
    this.app = new App(load(), {
      net: this.host,
      version: '0',
      log: createLogger('info', { write }),
      observer: (event) => this.events.push(event),
      load,
    });
    onTestFinished(() => this.play(this.app.stop()));
  }

  async start(): Promise<this> {
    await this.play(this.app.start());
    return this;
  }

  /** Lets virtual time pass, and real sockets of the admin endpoints have their turns, until the work is done. */
  async play<T>(work: Promise<T>): Promise<T> {
    const state = { isDone: false };
    const noted = work.finally(() => {
      state.isDone = true;
    });
    noted.catch(() => undefined);
    for (let turn = 0; !state.isDone && turn < 100_000; turn += 1) {
      await setImmediate();
      this.net.advance(1);
    }
    return noted;
  }

  /** Puts other words into the file, and has it read. */
  async reload(file: string): Promise<ReloadOutcome> {
    this.file = file;
    return this.play(this.app.reload());
  }

  /** A server at 10.0.0.`n`. */
  server(n: number): Server {
    const address = `10.0.0.${n}`;
    return new Server(this.net.host([address]), address, 69);
  }

  /** A client that has just asked. */
  async ask(port = 69): Promise<Peer> {
    this.#clients += 1;
    const address = `10.1.${this.#clients >> 8}.${this.#clients & 255}`;
    const client = new Peer(this.net.host([address]), address);
    client.send(encodeRequest(Opcode.rrq, 'file', 'octet'), { address: vip, port });
    await this.settle();
    return client;
  }

  /** A download whose first block has come. */
  async begin(server: Server): Promise<Peer> {
    const client = await this.ask();
    server.answer(encodeData(1, full));
    await this.settle();
    return client;
  }

  /** Goes on to the end of the file. */
  async finish(client: Peer, server: Server): Promise<void> {
    const tid = client.last;
    client.send(encodeAck(1), tid);
    await this.settle();
    server.answer(encodeData(2, new Uint8Array(3)));
    await this.settle();
    client.send(encodeAck(2), tid);
    await this.settle();
  }

  settle(): Promise<void> {
    return pass(this.net, 5);
  }

  of<K extends Event['kind']>(kind: K): Extract<Event, { kind: K }>[] {
    return this.events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind);
  }

  /** The series of the metrics that there are, each with its value. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const { address, port } = this.app.admin ?? { address: '', port: 0 };
    const text = await (await fetch(`http://${address}:${port}/metrics`)).text();
    const series = text.split('\n').filter((line) => line.startsWith('tftplb_'));
    return new Map(
      series.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]),
    );
  }
}
