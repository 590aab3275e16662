/** What every TidNet must keep, whatever its TIDs are made of: the doc comments of src/net/tids.ts as tests. */
import { describe } from 'vitest';
import type { TidNet } from '../../src/net/tids.ts';
import { hostContract } from './net-host.ts';
import { useScene, type World } from './net-scene.ts';
import { udpContract } from './net-udp.ts';
import { backendContract } from './tid-net-backend.ts';
import { refusalContract } from './tid-net-refusals.ts';
import { relayContract } from './tid-net-relay.ts';
import { vipContract } from './tid-net-vip.ts';
import { TidScene } from './tid-scene.ts';

export interface TidNetContractOptions {
  readonly name: string;
  readonly family: 4 | 6;
  /** The host of the new world has the loopback addresses of both families, if it can. */
  readonly createWorld: () => World<TidNet>;
  readonly skip?: boolean;
}

export function tidNetContract({ name, family, createWorld, skip = false }: TidNetContractOptions): void {
  describe.skipIf(skip)(`${name}, IPv${family}`, () => {
    const scene = useScene(() => new TidScene(createWorld(), family));
    udpContract(scene);
    hostContract(scene);
    vipContract(scene);
    backendContract(scene);
    refusalContract(scene);
    relayContract(scene);
  });
}
