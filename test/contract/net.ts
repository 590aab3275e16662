/** What every Net must keep, whichever network is behind it: the doc comments of src/net/net.ts as tests. */
import { describe } from 'vitest';
import { hostContract, lookupContract } from './net-host.ts';
import { NetScene, useScene, type NetWorld } from './net-scene.ts';
import { tidContract } from './net-tid.ts';
import { udpContract } from './net-udp.ts';

export interface NetContractOptions {
  readonly name: string;
  readonly family: 4 | 6;
  /** The host of the new world has the loopback addresses of both families, if it can, under the name localhost. */
  readonly createWorld: () => NetWorld;
  readonly skip?: boolean;
}

export function netContract({ name, family, createWorld, skip = false }: NetContractOptions): void {
  describe.skipIf(skip)(`${name}, IPv${family}`, () => {
    const scene = useScene(() => new NetScene(createWorld(), family));
    udpContract(scene);
    tidContract(scene);
    hostContract(scene);
    lookupContract(scene);
  });
}
