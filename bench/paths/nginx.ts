/**
 * nginx with its stream module, for comparison: a relay of UDP that knows nothing of TFTP. It throws away what comes
 * from another port than the one it sends to, so the server behind it has to answer from that one.
 */
import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { type Command, peer } from '../../test/helpers/peers.ts';
import { type Endpoint, formatEndpoint } from '../../src/net/net.ts';
import { Child, inNamespace } from '../run/child.ts';
import { singlePortBackends } from './backends.ts';
import type { Stage } from '../run/stage.ts';

/** Where it has the network to itself. */
const ownPort = 69;

export interface StartedNginx {
  readonly target: Endpoint;
  readonly relay: Child;
}

/** Undefined, with the reason told to `say`, where nginx or its stream module is not installed. */
export async function startNginx(
  stage: Stage,
  say: (line: string) => void,
): Promise<StartedNginx | undefined> {
  const nginx = peer('nginx');
  if (nginx === undefined) {
    say('nginx is not installed: nothing to compare with');
    return undefined;
  }
  const { namespace, address } = stage.network.relay;
  const port = namespace === undefined ? await freePort(address) : ownPort;
  const config = path.join(stage.folder, 'nginx.conf');
  writeFileSync(config, configuration(nginx, port, stage));
  const args = ['-p', stage.folder, '-e', path.join(stage.folder, 'nginx.log'), '-c', config];
  const fault = faultOf(nginx, args, namespace);
  if (fault !== undefined) {
    say(`nginx cannot be compared with: ${fault}`);
    return undefined;
  }
  const relay = new Child('nginx', nginx.program, args, {
    core: stage.placement.relay,
    namespace,
    isUrgent: stage.isUrgent,
    stdio: 'inherit',
    env: nginx.env,
  });
  return { target: { address, port }, relay };
}

/** What nginx itself says against its configuration. */
function faultOf({ program, env }: Command, args: readonly string[], namespace?: string): string | undefined {
  const [first, ...rest] = inNamespace(namespace, [program, ...args, '-t']);
  const { status, stderr } = spawnSync(first, rest, { env: { ...process.env, ...env }, encoding: 'utf8' });
  return status === 0 ? undefined : (stderr.trim().split('\n')[0] ?? 'it does not start');
}

/**
 * One process, so that its end leaves none behind, with room for the bench's sessions, which it forgets soon;
 * otherwise nginx's own defaults.
 */
function configuration({ program }: Command, port: number, { folder, network, servers }: Stage): string {
  const module = path.join(path.dirname(program), '../lib/nginx/modules/ngx_stream_module.so');
  const backends = singlePortBackends(servers).map(({ address, port }) => formatEndpoint(address, port));
  return `${existsSync(module) ? `load_module ${module};` : ''}
daemon off;
master_process off;
pid ${path.join(folder, 'nginx.pid')};
events { worker_connections 4096; }
stream {
  upstream servers {
${backends.map((backend) => `    server ${backend};`).join('\n')}
  }
  server {
    listen ${network.relay.address}:${port} udp;
    proxy_pass servers;
    proxy_timeout 10s;
  }
}
`;
}

/** A port that nobody had a moment ago: nginx cannot let the kernel choose. */
async function freePort(address: string): Promise<number> {
  const socket = createSocket('udp4').bind({ address, port: 0 });
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}
