import type { RejectReason } from '../observe/events.ts';
import { AddressWords } from './address-words.ts';
import { NetworkSet } from './network-set.ts';
import { RateTable } from './rate-table.ts';
import type { AccessRules, RequestRates, SharedRate } from './snapshot.ts';

/** Why somebody is turned away before it matters what is asked for. */
export type GateReason = Extract<RejectReason, 'denied-address' | 'rate-per-client' | 'rate-per-prefix'>;

/** Decides for each request by its client's address: who may use the service, and how often. */
export class Gate {
  readonly #networks: Networks | undefined;
  readonly #perClient: RateTable | undefined;
  readonly #perPrefix: PrefixRate | undefined;
  readonly #client = new AddressWords();

  constructor(access: AccessRules | undefined, rates: RequestRates | undefined) {
    this.#networks = access && networksOf(access);
    this.#perClient = rates?.perClient && rateOf(rates.perClient);
    this.#perPrefix = rates?.perPrefix && { ...rates.perPrefix, rate: rateOf(rates.perPrefix) };
  }

  /**
   * Lets a request pass or says why not. Who is refused for a client's rate takes nothing from its neighbours. `now` in
   * milliseconds, of a clock that all workers share.
   */
  refusalOf(address: string, now: number): GateReason | undefined {
    const client = this.#client;
    const isKnown = client.read(address);
    if (this.#networks && !(isKnown && isPermitted(client, this.#networks))) return 'denied-address';
    if (this.#perClient && !this.#perClient.take(client, 128, now)) return 'rate-per-client';
    if (!this.#perPrefix) return undefined;
    const { rate, ipv4, ipv6 } = this.#perPrefix;
    const bits = client.family === 4 ? 96 + ipv4 : ipv6;
    return rate.take(client, bits, now) ? undefined : 'rate-per-prefix';
  }
}

interface Networks {
  readonly denied: NetworkSet;
  /** Undefined is everybody. */
  readonly allowed: NetworkSet | undefined;
}

interface PrefixRate {
  readonly rate: RateTable;
  readonly ipv4: number;
  readonly ipv6: number;
}

function networksOf({ allow, deny }: AccessRules): Networks | undefined {
  if (allow.length === 0 && deny.length === 0) return undefined;
  return { denied: new NetworkSet(deny), allowed: allow.length > 0 ? new NetworkSet(allow) : undefined };
}

function isPermitted(client: AddressWords, { denied, allowed }: Networks): boolean {
  return !denied.has(client) && (allowed?.has(client) ?? true);
}

function rateOf(rate: SharedRate): RateTable {
  return new RateTable(rate.table, rate);
}
