/** What a reply says about a question: aliases are followed, records are checked. */
import type { Answer } from 'dns-packet';
import { numericAddress, isUsableAddress } from './addresses.ts';
import { DnsError } from './dns-error.ts';
import type { Question, Reply } from './dns-message.ts';
import { domainName } from './dns-names.ts';

/** Aliases from the name that is asked for to the one that has the records. */
export const maxAliases = 8;

/** A set of so many says that something is wrong, rather than where the backends are. */
const maxRecords = 1_024;

/** Larger times to live count as none (RFC 2181 section 8). */
const maxTtl = 2 ** 31 - 1;

/** One type of records, and what they are read as. */
export interface RecordKind<T> {
  readonly type: Question['type'];
  /** Undefined for what cannot be used. */
  readonly read: (answer: Answer) => T | undefined;
}

/** A record of RFC 2782. */
export interface ServiceRecord {
  readonly priority: number;
  readonly weight: number;
  readonly port: number;
  /** As `domainName` spells it; empty where the service is decidedly not available. */
  readonly target: string;
}

export const ipv4Records: RecordKind<string> = {
  type: 'A',
  read: (answer) => (answer.type === 'A' ? addressFrom(answer.data) : undefined),
};

export const ipv6Records: RecordKind<string> = {
  type: 'AAAA',
  read: (answer) => (answer.type === 'AAAA' ? addressFrom(answer.data) : undefined),
};

export const serviceRecords: RecordKind<ServiceRecord> = {
  type: 'SRV',
  read: (answer) => {
    if (answer.type !== 'SRV') return undefined;
    const { priority = 0, weight = 0, port, target: text } = answer.data;
    const target = text === '.' ? '' : domainName(text);
    if (target === undefined || (port === 0 && target !== '')) return undefined;
    return { priority, weight, port, target };
  },
};

export interface Found<T> {
  readonly records: readonly T[];
  /** Seconds for which all of it holds; Infinity where there is nothing. */
  readonly ttl: number;
  /** Where the aliases lead. */
  readonly name: string;
  readonly aliases: number;
}

/** `name` as `domainName` spells it. Throws DnsError. */
export function recordsIn<T>({ answers }: Reply, name: string, kind: RecordKind<T>): Found<T> {
  let owner = name;
  let ttl = Infinity;
  for (let aliases = 0; aliases <= maxAliases; aliases++) {
    const own = answers.filter((answer) => isOf(answer, owner));
    const matching = own.filter(({ type }) => type === kind.type);
    const alias = own.find((answer) => answer.type === 'CNAME');
    if (matching.length > 0 || alias?.type !== 'CNAME') {
      const records = readAll(matching, owner, kind);
      return { records, ttl: Math.min(ttl, ...matching.map(ttlOf)), name: owner, aliases };
    }
    ttl = Math.min(ttl, ttlOf(alias));
    owner = targetOf(alias.data, owner);
  }
  throw new DnsError(`${name} has more than ${maxAliases} aliases`);
}

function isOf(answer: Answer, owner: string): boolean {
  return answer.type !== 'OPT' && answer.class === 'IN' && domainName(answer.name) === owner;
}

function ttlOf(answer: Answer): number {
  const ttl = answer.type === 'OPT' ? 0 : (answer.ttl ?? 0);
  return ttl > maxTtl ? 0 : ttl;
}

function targetOf(text: string, alias: string): string {
  const target = domainName(text);
  if (target === undefined) throw new DnsError(`${alias} is an alias of something that is no host`);
  return target;
}

function readAll<T>(answers: readonly Answer[], name: string, { type, read }: RecordKind<T>): T[] {
  if (answers.length > maxRecords) throw new DnsError(`${name} has more than ${maxRecords} ${type} records`);
  return answers.map((answer) => {
    const record = read(answer);
    if (record === undefined) throw new DnsError(`${name} has an ${type} record that cannot be used`);
    return record;
  });
}

function addressFrom(text: string): string | undefined {
  const address = numericAddress(text);
  return address !== undefined && isUsableAddress(address) ? address : undefined;
}
