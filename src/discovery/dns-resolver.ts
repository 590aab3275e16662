/**
 * Asks DNS servers, one after the other, until one answers.
 *
 *   UDP with EDNS --FORMERR, NOTIMP, BADVERS--> UDP without it
 *        |                                         |
 *        +--------truncated: TCP-------------------+--> records, or an alias to ask for next
 *
 * Silence, a lost connection and every other response code than NOERROR and NXDOMAIN lead to the next server.
 */
import { formatEndpoint, type Endpoint, type Net } from '../net/net.ts';
import { DnsError } from './dns-error.ts';
import { encodeQuery, type Question, Rcode, type Reply } from './dns-message.ts';
import { domainName } from './dns-names.ts';
import { type Found, maxAliases, type RecordKind, recordsIn } from './dns-records.ts';
import { askOverTcp } from './dns-tcp.ts';
import { askOverUdp } from './dns-udp.ts';

/** Milliseconds; what resolvers of other systems wait is between one and five seconds. */
const udpTimeout = 2_000;
const tcpTimeout = 4_000;

/** How often every server is asked before a question counts as unanswered: one datagram may get lost. */
const attempts = 2;

export interface Resolution<T> {
  readonly records: readonly T[];
  /** Seconds for which the records hold; Infinity where there are none. */
  readonly ttl: number;
}

export class DnsResolver {
  readonly #net: Net;
  /** Those that failed lately are at the end. */
  #servers: readonly Endpoint[];

  /** Servers with numeric addresses, in the order in which they are asked. */
  constructor(net: Net, servers: readonly Endpoint[]) {
    this.#net = net;
    this.#servers = servers;
  }

  /** The records of a name; none if it has none or does not exist. Rejects with DnsError or the signal's reason. */
  async resolve<T>(name: string, kind: RecordKind<T>, signal: AbortSignal): Promise<Resolution<T>> {
    let asked = soundName(name);
    let ttl = Infinity;
    for (let aliases = 0; aliases <= maxAliases;) {
      const reply = await this.#ask({ name: asked, type: kind.type }, signal);
      const found: Found<T> = recordsIn(reply, asked, kind);
      ttl = Math.min(ttl, found.ttl);
      const isEnd = found.aliases === 0 || reply.rcode === Rcode.noSuchName;
      if (found.records.length > 0 || isEnd) return { records: found.records, ttl };
      asked = found.name;
      aliases += found.aliases;
    }
    throw new DnsError(`${name} has more than ${maxAliases} aliases`);
  }

  async #ask(question: Question, signal: AbortSignal): Promise<Reply> {
    const failures = new Map<string, unknown>();
    for (let attempt = 0; attempt < attempts; attempt++) {
      for (const server of this.#servers) {
        try {
          return await this.#askServer(server, question, signal);
        } catch (error) {
          signal.throwIfAborted();
          failures.set(formatEndpoint(server.address, server.port), error);
          this.#servers = [...this.#servers.filter((other) => other !== server), server];
        }
      }
    }
    const reasons = [...failures.values()].map((error) =>
      error instanceof Error ? error.message : String(error),
    );
    throw new DnsError(`cannot look up ${question.type} of ${question.name}: ${reasons.join('; ')}`);
  }

  async #askServer(server: Endpoint, question: Question, signal: AbortSignal): Promise<Reply> {
    let reply = await this.#exchange(server, question, true, signal);
    if (isEdnsRefused(reply)) reply = await this.#exchange(server, question, false, signal);
    const place = formatEndpoint(server.address, server.port);
    if (reply.rcode === Rcode.noSuchName) return reply;
    if (reply.rcode !== Rcode.noError) throw new DnsError(`${place} says ${rcodeText(reply.rcode)}`);
    if (reply.answers.length === 0 && !reply.isCompetent) {
      throw new DnsError(`${place} does not know, and asks nobody else`);
    }
    return reply;
  }

  async #exchange(server: Endpoint, question: Question, edns: boolean, signal: AbortSignal): Promise<Reply> {
    const id = Math.floor(this.#net.random() * 2 ** 16);
    const query = encodeQuery(id, question, edns);
    const reply = await askOverUdp(this.#net, server, query, { timeout: udpTimeout, signal });
    if (!reply.isTruncated) return reply;
    return askOverTcp(this.#net, server, query, { timeout: tcpTimeout, signal });
  }
}

function soundName(text: string): string {
  const name = domainName(text);
  if (name === undefined) throw new DnsError(`"${text}" is no domain name`);
  return name;
}

/** What servers without EDNS say to it (RFC 6891 section 7). */
function isEdnsRefused({ rcode }: Reply): boolean {
  return rcode === Rcode.formatError || rcode === Rcode.notImplemented || rcode === Rcode.badVersion;
}

const rcodeNames: ReadonlyMap<number, string> = new Map([
  [Rcode.formatError, 'FORMERR'],
  [Rcode.serverFailure, 'SERVFAIL'],
  [Rcode.notImplemented, 'NOTIMP'],
  [Rcode.refused, 'REFUSED'],
  [Rcode.badVersion, 'BADVERS'],
]);

function rcodeText(rcode: number): string {
  return rcodeNames.get(rcode) ?? `RCODE ${rcode}`;
}
