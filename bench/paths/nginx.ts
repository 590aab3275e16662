/**
 * nginx with its stream module, for comparison: a relay of UDP that knows nothing of TFTP. It throws away what comes
 * from another port than the one it sends to, so the server behind it has to answer from that one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { type Command, peer } from '../../test/helpers/peers.ts';
import { loopback } from '../messages.ts';
import { Child } from '../run/child.ts';
import type { Stage } from '../run/stage.ts';
import { openSocket } from '../wire/socket.ts';
import type { Path } from './path.ts';

/** Undefined, with the reason told to `say`, where nginx or its stream module is not installed. */
export async function startNginx(stage: Stage, say: (line: string) => void): Promise<Path | undefined> {
  const nginx = peer('nginx');
  if (nginx === undefined) {
    say('nginx is not installed: nothing to compare with');
    return undefined;
  }
  const port = freePort();
  const config = path.join(stage.folder, 'nginx.conf');
  writeFileSync(config, configuration(nginx, port, stage));
  const args = ['-p', stage.folder, '-e', path.join(stage.folder, 'nginx.log'), '-c', config];
  const { status, stderr } = spawnSync(nginx.program, [...args, '-t'], {
    env: { ...process.env, ...nginx.env },
    encoding: 'utf8',
  });
  if (status !== 0) {
    say(`nginx cannot be compared with: ${stderr.trim().split('\n')[0] ?? 'it does not start'}`);
    return undefined;
  }
  const options = {
    core: stage.placement.relay,
    isUrgent: stage.isUrgent,
    stdio: 'inherit',
    env: nginx.env,
  } as const;
  const relay = new Child('nginx', nginx.program, args, options);
  return { name: 'nginx', port, relay };
}

/**
 * One process, so that its end leaves none behind, with room for the bench's sessions, which it forgets soon;
 * otherwise nginx's own defaults.
 */
function configuration({ program }: Command, port: number, { folder, ports }: Stage): string {
  const module = path.join(path.dirname(program), '../lib/nginx/modules/ngx_stream_module.so');
  return `${existsSync(module) ? `load_module ${module};` : ''}
daemon off;
master_process off;
pid ${path.join(folder, 'nginx.pid')};
events { worker_connections 4096; }
stream {
  server {
    listen ${loopback}:${port} udp;
    proxy_pass ${loopback}:${ports.singlePort};
    proxy_timeout 10s;
  }
}
`;
}

/** A port that nobody had a moment ago: nginx cannot let the kernel choose. */
function freePort(): number {
  const socket = openSocket();
  const { port } = socket.address();
  socket.close();
  return port;
}
