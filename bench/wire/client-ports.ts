import type { AddressRange } from '../network/network.ts';
import { addressOf, numberOf } from './addresses.ts';
import { Port } from './port.ts';
import type { Wire } from './wire.ts';

/** Where a client sends from, and what takes what arrives there. */
export interface ClientPort {
  readonly port: Port;
  /** The client's address as a number; undefined where the port is its alone. */
  readonly source: number | undefined;
}

/** Takes the datagram in a slot of the wire's batch. */
export interface Receiver {
  onMessage(slot: number): void;
}

/** A port of its own for each client. `receivers` are in the order of the ports, and may be filled later. */
export function openOwnPorts(
  wire: Wire,
  sources: AddressRange,
  clients: number,
  receivers: readonly Receiver[],
): ClientPort[] {
  const first = numberOf(sources.first);
  return Array.from({ length: clients }, (_, at) => {
    const address = addressOf(first + (at % sources.count));
    const port = new Port(wire, { address, port: 0 }, (count) => {
      for (let slot = 0; slot < count; slot++) receivers[at]?.onMessage(slot);
    });
    return { port, source: undefined };
  });
}

/**
 * Ports for so many clients that there are not enough descriptors: one socket stands for a client of each address.
 * Otherwise as `openOwnPorts`; there may be a few more of them.
 */
export function openSharedPorts(
  wire: Wire,
  sources: AddressRange,
  clients: number,
  receivers: readonly Receiver[],
): ClientPort[] {
  const first = numberOf(sources.first);
  const ports: ClientPort[] = [];
  while (ports.length < clients) {
    const base = ports.length;
    const port = new Port(wire, { address: '0.0.0.0', port: 0 }, (count) => {
      for (let slot = 0; slot < count; slot++) {
        receivers[base + wire.batch.locals.address4(slot) - first]?.onMessage(slot);
      }
    });
    port.tellDestinations();
    for (let at = 0; at < sources.count; at++) ports.push({ port, source: first + at });
  }
  return ports;
}
