/** Configurations that operators might change to and fro while clients are served. */
import { stringify } from 'yaml';
import type { Noise } from '../fuzz/noise.ts';
import { placeOf } from '../helpers/configured.ts';
import { type ChaosServer, type ChaosServers, login, uploadServers } from './chaos-servers.ts';

export type EngineName = 'linux' | 'portable';

/** What may differ from one service to the same in another configuration. */
interface Shape {
  readonly servers: readonly ChaosServer[];
  readonly weights: readonly number[];
  readonly policy: string;
  /** Sections that are left out as a rule. */
  readonly more: object;
}

const health = {
  interval: '300ms',
  timeout: '500ms',
  rise: 2,
  fall: 2,
  'eject-time': '500ms',
  'slow-start': '1s',
};
/** Of both protocols. */
const policies = ['round-robin', 'least-sessions', 'two-choices', 'source-hash', 'first'] as const;
const tftpTimes = { 'try-interval': '300ms', 'idle-timeout': '4s' };
const ftpTimes = { 'connect-timeout': '1s', 'greeting-timeout': '1s', 'data-timeout': '5s' };

export class ChaosConfig {
  readonly #engine: EngineName;
  readonly #socket: string;
  readonly #servers: ChaosServers;

  /** `socket` is the path of the admin socket. */
  constructor(engine: EngineName, socket: string, servers: ChaosServers) {
    this.#engine = engine;
    this.#socket = socket;
    this.#servers = servers;
  }

  /** What it starts with, and ends with. */
  usual(): string {
    const { tftp, ftp } = this.#servers;
    return this.#text(() => plain(tftp), plain(ftp));
  }

  /** Other policies, weights and limits, and some of the servers. */
  other(noise: Noise): string {
    const shape = (servers: readonly ChaosServer[]): Shape => ({
      servers: servers.filter((_, n) => n === 0 || noise.chance(0.7)),
      weights: servers.map(() => noise.int(1, 9)),
      policy: noise.pick(policies),
      more: {
        ...(noise.chance(0.3) && { limits: { 'max-sessions-per-backend': noise.int(1, 4) } }),
        ...(noise.chance(0.3) && { affinity: { duration: '1s' } }),
        ...(noise.chance(0.2) && { rates: { 'per-client': `${noise.int(5, 50)}/s` } }),
      },
    });
    return this.#text(() => shape(this.#servers.tftp), shape(this.#servers.ftp));
  }

  #text(tftp: () => Shape, ftp: Shape): string {
    return stringify({
      services: {
        boot: this.#tftp(tftp(), {}),
        nat: this.#tftp(tftp(), { 'single-port': true }),
        files: { ...service('ftp', ftp), health: { ...health, ...login }, ftp: ftpTimes },
      },
      admin: { listen: '127.0.0.1:0', socket: this.#socket },
      workers: 2,
      engine: this.#engine,
    });
  }

  #tftp(shape: Shape, options: object): object {
    const present = shape.servers.map(({ name }) => name);
    const uploads = uploadServers.filter((name) => present.includes(name));
    const tftp = { ...tftpTimes, ...options };
    return { ...service('tftp', shape), health, tftp, routes: [{ op: 'write', backends: uploads }] };
  }
}

function plain(servers: readonly ChaosServer[]): Shape {
  return { servers, weights: [1, 1, 1], policy: 'round-robin', more: {} };
}

function service(protocol: 'tftp' | 'ftp', { servers, weights, policy, more }: Shape): object {
  const backends = servers.map(({ name, at }, n) => `${placeOf(at)},name=${name},weight=${weights[n] ?? 1}`);
  return { protocol, listeners: ['127.0.0.1:0'], backends, policy, ...more };
}
