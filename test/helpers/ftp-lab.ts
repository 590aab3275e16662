/** An FTP balancer on an in-memory network with small servers behind it and led clients in front: virtual time. */
import { Scoreboard } from '../../src/balance/scoreboard.ts';
import { FtpEngine } from '../../src/engine/ftp-engine.ts';
import { createPassivePool, PassivePool } from '../../src/engine/passive-pool.ts';
import type { CreateFtpMachine } from '../../src/engine/ftp-session-host.ts';
import type { FtpService, Snapshot } from '../../src/engine/snapshot.ts';
import { defaultFtpCaps, defaultFtpTimeouts, withoutTls } from '../../src/ftp/effects.ts';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import { MemoryNet, type MemoryNetOptions } from '../../src/net/memory-net.ts';
import type { Net } from '../../src/net/net.ts';
import { dropReasons, type Event } from '../../src/observe/events.ts';
import { FtpClient } from './ftp-client.ts';
import { afterEach, expect } from 'vitest';
import { FtpServer, type Handler } from './ftp-server.ts';
import { pass } from './virtual-time.ts';

export const ftpService: Omit<FtpService, 'pool' | 'listeners' | 'passivePool'> = {
  kind: 'ftp',
  index: 0,
  name: 'ftp',
  policy: 'round-robin',
  limits: { total: 1_000, perClient: 0, perBackend: 0 },
  commands: { readOnly: false, denied: [], maxWaiting: 16, caps: defaultFtpCaps },
  tls: {
    isPassthrough: false,
    policy: withoutTls,
    server: undefined,
    client: undefined,
    serverName: undefined,
  },
  proxy: { trusted: [], version: undefined, timeout: 5_000 },
  userMapKey: 'user',
  data: {
    clientModes: 'active,passive',
    backendData: 'passive',
    portAddress: 'client',
    backendPasvAddress: 'ignore',
    passivePorts: { first: 40_000, last: 40_099 },
    advertised: [],
  },
  timing: { ...defaultFtpTimeouts, connect: 2_000, stall: 300_000 },
};

/** An address of the balancer that means something with its zone alone. */
export const linkLocal = 'fe80::1%eth0';

export interface FtpLabOptions extends Partial<MemoryNetOptions> {
  readonly backends?: number;
  readonly weights?: readonly number[];
  readonly ipv6?: 'client' | 'backend' | 'both';
  readonly service?: Partial<FtpService>;
  /** Changes to the service's data rules. */
  readonly data?: Partial<FtpService['data']>;
  readonly createMachine?: CreateFtpMachine;
  /** What the engine is given in place of its host. */
  readonly wrap?: (host: MemoryHost) => Net;
}

export class FtpLab {
  readonly net: MemoryNet;
  readonly balancer: MemoryHost;
  readonly vip: string;
  readonly scoreboard: Scoreboard;
  readonly engine: FtpEngine;
  readonly passivePool: PassivePool;
  readonly events: Event[] = [];
  readonly #options: FtpLabOptions;
  readonly #backendHosts: MemoryHost[] = [];
  readonly #poolMemory: SharedArrayBuffer;
  #clients = 0;

  constructor(options: FtpLabOptions = {}) {
    this.#options = options;
    this.net = new MemoryNet({ seed: options.seed ?? 1, ...(options.link && { link: options.link }) });
    this.balancer = this.net.host(['10.0.0.1', '10.0.0.2', 'fd00::1', linkLocal]);
    this.vip = this.#isIpv6('client') ? 'fd00::1' : '10.0.0.1';
    const count = options.backends ?? 2;
    for (let n = 0; n < count; n++) this.#backendHosts.push(this.net.host([this.backendAddress(n)]));
    this.scoreboard = Scoreboard.create({
      services: 1,
      backends: 16,
      workers: 1,
      reasons: dropReasons.length,
    });
    const passivePorts = options.data?.passivePorts ?? ftpService.data.passivePorts;
    this.#poolMemory = createPassivePool(passivePorts, 1);
    this.passivePool = new PassivePool(this.#poolMemory, 0);
    this.engine = new FtpEngine(
      {
        snapshot: this.snapshot({ data: { ...ftpService.data, ...options.data }, ...options.service }),
        scoreboard: this.scoreboard,
        worker: 0,
        net: options.wrap?.(this.balancer) ?? this.balancer,
        emit: (event) => this.events.push(event),
      },
      options.createMachine,
    );
  }

  snapshot(service: Partial<FtpService> = {}): Snapshot {
    const backends = this.#backendHosts.map((_, index) => ({
      index,
      name: `b${index}`,
      address: this.backendAddress(index),
      port: 21,
      weight: this.#options.weights?.[index] ?? 1,
    }));
    const listeners = [{ address: this.vip, port: 21 }];
    const passivePool = this.#poolMemory;
    const pool = { backends };
    return { version: 1, services: [{ ...ftpService, listeners, pool, passivePool, ...service }] };
  }

  backendAddress(n: number): string {
    return this.#isIpv6('backend') ? `fd00::1:${n + 1}` : `10.1.0.${n + 1}`;
  }

  backendHost(n: number): MemoryHost {
    const host = this.#backendHosts[n];
    if (!host) throw new Error(`no backend ${n}`);
    return host;
  }

  async server(n: number, handlers: Record<string, Handler> = {}): Promise<FtpServer> {
    const server = new FtpServer(this.backendHost(n), `b${n}`, handlers);
    await this.net.play(server.listen({ address: this.backendAddress(n), port: 21 }));
    return server;
  }

  /** A host for a client of its own. */
  clientHost(): MemoryHost {
    this.#clients += 1;
    const n = this.#clients;
    return this.net.host(this.#isIpv6('client') ? [`fd00::2:${n}`] : [`10.2.0.${n}`]);
  }

  async client(host: MemoryHost = this.clientHost(), vip: string = this.vip): Promise<FtpClient> {
    const control = await this.net.play(host.connectTcp({ address: vip, port: 21 }, { timeout: 5_000 }));
    return new FtpClient(host, control, (what, condition) => this.until(what, condition));
  }

  /** A client that a backend has let in. */
  async loggedIn(host?: MemoryHost): Promise<FtpClient> {
    return (await this.client(host)).login();
  }

  pass(milliseconds: number): Promise<void> {
    return pass(this.net, milliseconds);
  }

  /** Lets time pass until there is something. */
  async until<T>(what: string, condition: () => T | undefined | false): Promise<T> {
    for (const end = this.net.now() + 60_000; this.net.now() < end;) {
      const result = condition();
      if (result !== undefined && result !== false) return result;
      await this.pass(1);
    }
    throw new Error(`${what}: this never happened`);
  }

  of<K extends Event['kind']>(kind: K): Extract<Event, { kind: K }>[] {
    return this.events.filter((event): event is Extract<Event, { kind: K }> => event.kind === kind);
  }

  /** How many sessions each backend has now. */
  active(): number[] {
    return this.#backendHosts.map((_, index) => this.scoreboard.active(index));
  }

  #isIpv6(leg: 'client' | 'backend'): boolean {
    const { ipv6 } = this.#options;
    return ipv6 === 'both' || ipv6 === leg;
  }
}

/** When all sessions have ended: the listener is open, and nothing else. */
export async function expectNothingLeft(lab: FtpLab): Promise<void> {
  // Connections that wait for their peer's end have their time.
  await lab.pass(15_000);
  expect(lab.balancer.openSockets).toBe(1);
  expect(lab.passivePool.used).toBe(0);
  expect(lab.active().every((sessions) => sessions === 0)).toBe(true);
}

interface Started {
  readonly lab: FtpLab;
  readonly servers: readonly FtpServer[];
  /** The first of them. */
  readonly server: FtpServer;
}

/**
 * Starts labs for the tests of the surrounding suite, each with a server for every backend. Fails the test if the
 * engine leaves anything behind: no socket, no listener, no timer, no port, no count.
 */
export function useFtpLab(): (options?: FtpLabOptions) => Promise<Started> {
  const started: Started[] = [];
  afterEach(async () => {
    for (const { lab, servers } of started.splice(0)) {
      for (const server of servers) server.close();
      await lab.net.play(lab.engine.stop());
      await lab.pass(100);
      expect([lab.balancer.openSockets, lab.net.pendingTimers]).toEqual([0, 0]);
      expect([lab.passivePool.used, lab.scoreboard.activeOf(0)]).toEqual([0, 0]);
      for (const [index, sessions] of lab.active().entries()) {
        expect([sessions, lab.scoreboard.holders(index)]).toEqual([0, 0]);
      }
    }
  });
  return async (options = {}) => {
    const lab = new FtpLab(options);
    await lab.net.play(lab.engine.start());
    const server = await lab.server(0);
    const servers = [server];
    for (let n = 1; n < (options.backends ?? 2); n++) servers.push(await lab.server(n));
    const result = { lab, servers, server };
    started.push(result);
    return result;
  };
}
