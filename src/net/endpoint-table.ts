/**
 * What is known by an address and a port. Looking up allocates nothing, which a map from joined text would at every
 * datagram.
 */
export class EndpointTable<Value> {
  /** An address mostly has one port: a map of its own costs more memory than what it holds. */
  readonly #byAddress = new Map<string, Single<Value> | Map<number, Value>>();

  get isEmpty(): boolean {
    return this.#byAddress.size === 0;
  }

  get(port: number, address: string): Value | undefined {
    const known = this.#byAddress.get(address);
    if (known instanceof Single) return known.port === port ? known.value : undefined;
    return known?.get(port);
  }

  set(port: number, address: string, value: Value): void {
    const known = this.#byAddress.get(address);
    if (known instanceof Map) known.set(port, value);
    else if (!known || known.port === port) this.#byAddress.set(address, new Single(port, value));
    else this.#byAddress.set(address, new Map([...known, [port, value]]));
  }

  delete(port: number, address: string): void {
    const known = this.#byAddress.get(address);
    if (known instanceof Map) known.delete(port);
    const isEmpty = known instanceof Map ? known.size === 0 : known?.port === port;
    if (isEmpty) this.#byAddress.delete(address);
  }

  *values(): Generator<Value> {
    for (const known of this.#byAddress.values()) {
      for (const [, value] of known) yield value;
    }
  }
}

class Single<Value> {
  readonly port: number;
  readonly value: Value;

  constructor(port: number, value: Value) {
    this.port = port;
    this.value = value;
  }

  *[Symbol.iterator](): Generator<[number, Value]> {
    yield [this.port, this.value];
  }
}
