import { createNodeNet } from '../../src/net/node-net.ts';
import type { TcpWorld } from './net-tcp-scene.ts';
import { tcpContract } from './net-tcp.ts';
import { hasIpv6, realTcpWorld } from './real-world.ts';

const createWorld = (): TcpWorld => realTcpWorld(createNodeNet());

tcpContract({ name: 'node net', family: 4, createWorld });
tcpContract({ name: 'node net', family: 6, createWorld, skip: !hasIpv6 });
