/**
 * Questions and replies of DNS as bytes. Whoever can send a datagram can send a reply, so one counts only if it has the
 * id and the question of the query (RFC 5452 section 9.1).
 */
import { type Answer, type DecodedPacket, RECURSION_DESIRED, decode, encode } from 'dns-packet';
import { domainName } from './dns-names.ts';

/** Response codes (RFC 1035 section 4.1.1, RFC 6891 section 9). */
export const Rcode = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  badVersion: 16,
} as const;

/**
 * The largest reply over UDP that is asked for and taken, in bytes: it fits the smallest packet of IPv6 whole, and
 * fragments, which can be forged, are not needed.
 */
export const maxDatagram = 1_232;

const headerSize = 12;

export interface Question {
  /** As `domainName` spells it. */
  readonly name: string;
  readonly type: 'A' | 'AAAA' | 'SRV';
}

export interface Query {
  readonly id: number;
  readonly question: Question;
  readonly bytes: Uint8Array;
}

export interface Reply {
  readonly rcode: number;
  /** There is more than went into the datagram; `answers` is empty then. */
  readonly isTruncated: boolean;
  /** The server knows the name itself, or asks those that do: without answers there are none. */
  readonly isCompetent: boolean;
  readonly answers: readonly Answer[];
}

/** `id` is 0 to 65535. With `edns` the server may send `maxDatagram` bytes, else 512. */
export function encodeQuery(id: number, question: Question, edns: boolean): Query {
  const bytes = encode({
    type: 'query',
    id,
    flags: RECURSION_DESIRED,
    questions: [{ ...question, class: 'IN' }],
    additionals: edns ? [ednsRecord] : [],
  });
  return { id, question, bytes };
}

const ednsRecord: Answer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: maxDatagram,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

/** The reply to `query`, or undefined if `bytes` are something else. */
export function decodeReply(bytes: Uint8Array, query: Query): Reply | undefined {
  const packet = decodePacket(Buffer.from(bytes));
  if (packet === undefined || packet.id !== query.id || !packet.flag_qr || opcodeOf(packet) !== 0) {
    return undefined;
  }
  const rcode = rcodeOf(packet);
  if (!repeats(packet, query.question, rcode)) return undefined;
  const { flag_tc: isTruncated, flag_aa, flag_ra, answers = [] } = packet;
  return { rcode, isTruncated, isCompetent: flag_aa || flag_ra, answers };
}

/** The packet without its records if it is truncated: the last one may be cut through. `bytes` are overwritten. */
function decodePacket(bytes: Buffer): DecodedPacket | undefined {
  if (bytes.length < headerSize) return undefined;
  const isTruncated = (bytes.readUInt8(2) & 0x02) !== 0;
  if (isTruncated) bytes.fill(0, 6, headerSize);
  try {
    const packet = decode(bytes);
    // An address at the end may have been read from beyond it.
    return decode.bytes <= bytes.length ? packet : undefined;
  } catch {
    return undefined;
  }
}

function opcodeOf({ flags = 0 }: DecodedPacket): number {
  return (flags >> 11) & 0xf;
}

/** The upper bits of the code are in the EDNS record (RFC 6891 section 6.1.3). */
function rcodeOf({ flags = 0, additionals = [] }: DecodedPacket): number {
  const edns = additionals.find(({ type }) => type === 'OPT');
  const upper = edns?.type === 'OPT' ? edns.extendedRcode : 0;
  return (upper << 4) | (flags & 0xf);
}

/** A server that cannot read the query may leave the question out. */
function repeats({ questions = [] }: DecodedPacket, asked: Question, rcode: number): boolean {
  if (questions.length === 0) return rcode === Rcode.formatError;
  const [{ name, type, class: network } = { name: '', type: 'NULL' }] = questions;
  return questions.length === 1 && domainName(name) === asked.name && type === asked.type && network === 'IN';
}
