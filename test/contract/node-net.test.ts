import { createNodeNet } from '../../src/net/node-net.ts';
import { netContract } from './net.ts';
import { hasIpv6, realWorld } from './real-world.ts';

const createWorld = () => realWorld(createNodeNet());

netContract({ name: 'node net', family: 4, createWorld });
netContract({ name: 'node net', family: 6, createWorld, skip: !hasIpv6 });
