/** What TCP must keep, whichever network is behind it: the doc comments of src/net/tcp.ts as tests. */
import { describe } from 'vitest';
import { closeContract } from './net-tcp-close.ts';
import { flowContract } from './net-tcp-flow.ts';
import { connectContract, listenContract } from './net-tcp-open.ts';
import { useTcpScene, type TcpWorld } from './net-tcp-scene.ts';

export interface TcpContractOptions {
  readonly name: string;
  readonly family: 4 | 6;
  /** The host of the new world has the loopback addresses of both families, if it can. */
  readonly createWorld: () => TcpWorld;
  readonly skip?: boolean;
}

/** What connections must keep that are opened in another way, such as those under TLS. */
export function tcpSocketContract({ name, family, createWorld }: TcpContractOptions): void {
  describe(`connections of ${name}`, () => {
    const scene = useTcpScene(createWorld, family);
    flowContract(scene);
    closeContract(scene);
  });
}

export function tcpContract({ name, family, createWorld, skip = false }: TcpContractOptions): void {
  describe.skipIf(skip)(`TCP of ${name}, IPv${family}`, () => {
    const scene = useTcpScene(createWorld, family);
    listenContract(scene);
    connectContract(scene);
    flowContract(scene);
    closeContract(scene);
  });
}
