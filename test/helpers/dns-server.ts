/** A DNS server for tests that says whatever they want it to say, over UDP and TCP. */
import {
  type Answer,
  AUTHORITATIVE_ANSWER,
  type DecodedPacket,
  decode,
  encode,
  type Packet,
  type Question,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { Endpoint, Net, UdpSocket } from '../../src/net/net.ts';
import type { TcpListener, TcpSocket } from '../../src/net/tcp.ts';

export type Transport = 'udp' | 'tcp';

export interface DnsQuery {
  /** As in "A boot.test". */
  readonly asked: string;
  readonly over: Transport;
  readonly hasEdns: boolean;
  readonly packet: DecodedPacket;
  readonly client: Endpoint;
}

/** What is sent back: bytes as they are, one after the other; nothing if there are none. */
export type Respond = (query: DnsQuery) => readonly Uint8Array[];

export const dnsFlags: Readonly<Record<'authoritative' | 'truncated', number>> = {
  authoritative: AUTHORITATIVE_ANSWER,
  truncated: TRUNCATED_RESPONSE,
};

export function a(name: string, address: string, ttl = 60): Answer {
  return { type: 'A', class: 'IN', name, ttl, data: address };
}

export function aaaa(name: string, address: string, ttl = 60): Answer {
  return { type: 'AAAA', class: 'IN', name, ttl, data: address };
}

export function cname(name: string, target: string, ttl = 60): Answer {
  return { type: 'CNAME', class: 'IN', name, ttl, data: target };
}

export interface SrvFields {
  readonly priority?: number;
  readonly weight?: number;
  readonly ttl?: number;
}

/** `place` is host:port. */
export function srv(name: string, place: string, fields: SrvFields = {}): Answer {
  const { priority = 0, weight = 0, ttl = 60 } = fields;
  const [target = '', port] = place.split(':');
  return { type: 'SRV', class: 'IN', name, ttl, data: { priority, weight, port: Number(port), target } };
}

export interface ReplyChanges extends Partial<Packet> {
  /** Beside that of a response. */
  readonly flags?: number;
  readonly rcode?: number;
}

/** A reply of a server that knows, with the id and the question of the query unless changed. */
export function reply({ packet, over }: DnsQuery, changes: ReplyChanges = {}): Uint8Array {
  const { rcode = 0, flags = dnsFlags.authoritative, ...rest } = changes;
  const { id, questions } = packet;
  const bytes = encode({ type: 'response', id, questions, answers: [], ...rest, flags: flags | rcode });
  return over === 'tcp' ? framed(bytes) : bytes;
}

/** Answers from records, by what is asked as in "A boot.test"; a name without any does not exist. */
export function zone(records: ReadonlyMap<string, readonly Answer[]>): Respond {
  return (query) => {
    const answers = records.get(query.asked);
    const name = query.asked.split(' ')[1] ?? '';
    const exists = [...records.keys()].some((asked) => asked.endsWith(` ${name}`));
    return [reply(query, { answers: [...(answers ?? [])], rcode: exists ? 0 : 3 })];
  };
}

export class DnsServer {
  respond: Respond;
  readonly queries: DnsQuery[] = [];
  readonly #socket: UdpSocket;
  readonly #listener: Promise<TcpListener>;

  /** Listens at a port, which must not be 0. */
  constructor(net: Net, at: Endpoint, respond: Respond) {
    this.respond = respond;
    this.#socket = net.bindUdp(at, {
      onDatagram: (data, port, address) => {
        for (const bytes of this.#answer(data, 'udp', { address, port })) {
          this.#socket.send(bytes, port, address);
        }
      },
      onError: () => undefined,
    });
    this.#listener = net.listenTcp(at, {
      onConnection: (socket) => this.#serve(socket),
      onError: () => undefined,
    });
  }

  /** What it was asked, in order. */
  get asked(): string[] {
    return this.queries.map(({ asked }) => asked);
  }

  async close(): Promise<void> {
    this.#socket.close();
    (await this.#listener).close();
  }

  #answer(data: Uint8Array, over: Transport, client: Endpoint): readonly Uint8Array[] {
    const packet = decode(Buffer.from(data));
    const [question = { type: 'NULL', name: '' } satisfies Question] = packet.questions ?? [];
    const hasEdns = packet.additionals?.some(({ type }) => type === 'OPT') ?? false;
    const query = { asked: `${question.type} ${question.name}`, over, hasEdns, packet, client };
    this.queries.push(query);
    return this.respond(query);
  }

  #serve(socket: TcpSocket): void {
    socket.handle({
      onData: (data) => {
        for (const bytes of this.#answer(data.subarray(2), 'tcp', socket.remote)) socket.write(bytes);
      },
      onEnd: () => socket.end(),
      onDrain: () => undefined,
      onClose: () => undefined,
    });
  }
}

/** A message with its length in front, as it goes over TCP. */
export function framed(message: Uint8Array): Uint8Array {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
