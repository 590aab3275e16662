/**
 * What is known by an address and a port. Looking up allocates nothing, which a map from joined text would at every
 * datagram.
 */
export class EndpointTable<Value> {
  readonly #byAddress = new Map<string, Map<number, Value>>();

  get(port: number, address: string): Value | undefined {
    return this.#byAddress.get(address)?.get(port);
  }

  set(port: number, address: string, value: Value): void {
    const byPort = this.#byAddress.get(address);
    if (byPort) byPort.set(port, value);
    else this.#byAddress.set(address, new Map([[port, value]]));
  }

  delete(port: number, address: string): void {
    const byPort = this.#byAddress.get(address);
    byPort?.delete(port);
    if (byPort?.size === 0) this.#byAddress.delete(address);
  }

  *values(): Generator<Value> {
    for (const byPort of this.#byAddress.values()) yield* byPort.values();
  }
}
