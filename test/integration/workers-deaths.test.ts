/** Workers that die under load: what it costs, and what it does not. */
import { randomInt } from 'node:crypto';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { App } from '../../src/app.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { FlagValues } from '../../src/config/sources.ts';
import { type Endpoint, formatEndpoint } from '../../src/net/net.ts';
import { createNodeNet, createTidPorts } from '../../src/net/node-net.ts';
import type { Event, WorkerDown } from '../../src/observe/events.ts';
import { createLogger } from '../../src/observe/log.ts';
import type { Threads } from '../../src/runtime/node-threads.ts';
import { download } from '../../src/tftp/client.ts';
import { sinkInto } from '../helpers/content.ts';
import { startEmbedded } from '../helpers/embedded.ts';
import { brokenThreads, FaultyThreads } from '../helpers/faulty-threads.ts';
import { noise } from '../helpers/folders.ts';
import { udpPortsOf } from '../helpers/kernel.ts';
import { until } from '../helpers/processes.ts';
import { ownLoopback } from '../helpers/sockets.ts';
import { HeldDownload } from '../helpers/udp-peer.ts';
import { connectTo, loginTo, net as clients, startFtpServer } from './ftp.ts';

const image = noise(2_000);
/** Milliseconds: a worker stays away the longer, the longer a slow machine keeps it from coming back. */
vi.setConfig({ testTimeout: 90_000 });

const tidPorts = createTidPorts();
const net = createNodeNet({ tidPorts });

class Site {
  readonly app: App;
  readonly vip: string = ownLoopback();
  readonly events: Event[] = [];
  readonly lines: string[] = [];

  constructor(flags: FlagValues, threads: Threads) {
    const loaded = loadConfig(
      { vip: [this.vip], tftpPort: '0', ftpPort: '0', admin: '127.0.0.1:0', healthInterval: '0', ...flags },
      {},
    );
    if (loaded.kind === 'faulty') throw new Error(loaded.faults.map(({ problem }) => problem).join('; '));
    this.app = new App(loaded.config, {
      net,
      version: '0',
      log: createLogger('info', { write: (line: string) => this.lines.push(line) }),
      observer: (event) => this.events.push(event),
      threads,
    });
    onTestFinished(() => this.app.stop());
  }

  listener(service: 'tftp' | 'ftp'): Endpoint {
    const [listener] = this.app.listening(service);
    if (!listener) throw new Error(`nobody listens for ${service}`);
    return listener;
  }

  count(kind: Event['kind']): number {
    return this.events.filter((event) => event.kind === kind).length;
  }

  /** Waits for the death of a worker. */
  death(): Promise<WorkerDown> {
    return until('a worker has died', () => this.events.find((event) => event.kind === 'worker.down'));
  }

  states(): string[] {
    return this.app.status().workers.map(({ state, restarts }) => `${state} ${restarts}`);
  }

  async metric(series: string): Promise<number> {
    const { address, port } = this.app.admin ?? { address: '', port: 0 };
    const text = await (await fetch(`http://${formatEndpoint(address, port)}/metrics`)).text();
    const line = text.split('\n').find((found) => found.startsWith(`${series} `));
    return Number(line?.split(' ')[1]);
  }
}

function backendOf({ address, port }: Endpoint): string {
  return formatEndpoint(address, port);
}

/** Downloads, with less patience than usual; whether it was had. */
async function isFetched(server: Endpoint): Promise<boolean> {
  const retry = { timeout: 1_000, retries: 2 };
  const request = { server, file: 'image', mode: 'octet', options: {}, retry, dally: 0 } as const;
  return download(clients, request, sinkInto()).then(
    () => true,
    () => false,
  );
}

/** Fetches on and on, several at a time, until it is ended. Returns how often that failed. */
function load(server: Endpoint): { end(): Promise<number> } {
  const over = new AbortController();
  let failures = 0;
  const loops = Array.from({ length: 6 }, async () => {
    while (!over.signal.aborted) failures += (await isFetched(server)) ? 0 : 1;
  });
  return {
    end: async () => {
      over.abort();
      await Promise.all(loops);
      return failures;
    },
  };
}

interface TftpSite {
  readonly site: Site;
  readonly threads: FaultyThreads;
  readonly listener: Endpoint;
}

async function startTftp(workers: number): Promise<TftpSite> {
  const servers = [startEmbedded({ image }), startEmbedded({ image })];
  const threads = new FaultyThreads(workers, tidPorts);
  const site = new Site({ tftpBackend: servers.map(backendOf), ftp: false }, threads);
  await site.app.start();
  return { site, threads, listener: site.listener('tftp') };
}

async function fetches(count: number, server: Endpoint): Promise<boolean[]> {
  return Promise.all(Array.from({ length: count }, () => isFetched(server)));
}

async function heldAt(server: Endpoint, count: number): Promise<HeldDownload[]> {
  return Promise.all(Array.from({ length: count }, () => HeldDownload.begin(server, 'image')));
}

describe('a worker of TFTP that dies under load', () => {
  test('costs its own sessions, which are counted, and comes back', async () => {
    const { site, threads, listener } = await startTftp(4);
    const held = await heldAt(listener, 40);
    const traffic = load(listener);
    await until('there is traffic', () => (site.count('session.end') > 20 ? true : undefined));

    threads.bringAbout('throw', 1);
    const death = await site.death();
    expect(death).toMatchObject({ worker: 1, error: 'TypeError: brought about by a test', retry: 100 });
    expect(death.stack).toContain('faulty-worker.ts');
    const lost = death.lost['tftp'] ?? 0;
    expect(lost).toBeGreaterThan(0);

    await until('it is back', () => (site.states()[1] === 'serving 1' ? true : undefined));
    expect(site.states()).toEqual(['serving 0', 'serving 1', 'serving 0', 'serving 0']);
    expect(await traffic.end()).toBeLessThanOrEqual(lost);
    const sockets = udpPortsOf(process.pid).filter((port) => port === listener.port);
    expect(sockets).toHaveLength(4);

    // Those of the others go on where they were; of those that are lost nobody hears any more.
    let finished = 0;
    for (const download of held) {
      void download.finish().then(
        (bytes) => (finished += bytes.equals(image) ? 1 : 0),
        () => undefined,
      );
    }
    const heldAndLost = (): number => held.length - finished;
    await until('the others have finished', () => (heldAndLost() <= lost ? true : undefined));
    expect(heldAndLost()).toBeGreaterThan(0);

    await until('every session has its end', () => {
      const ended = site.count('session.end') + lost;
      return ended === site.count('session.start') ? true : undefined;
    });
    expect(await site.metric('tftplb_sessions_lost_total{service="tftp"}')).toBe(lost);
    expect(await site.metric('tftplb_worker_restarts_total{worker="1"}')).toBe(1);
    expect(await site.metric('tftplb_worker_restarts_total{worker="0"}')).toBe(0);
    expect(site.app.status().services).toMatchObject([{ sessions: 0 }]);
    expect(site.lines.some((line) => line.includes('"worker died, its sessions are lost"'))).toBe(true);

    expect(await fetches(48, listener)).not.toContain(false);
  });

  test('is not waited for by a drain', async () => {
    const { site, threads, listener } = await startTftp(2);
    const held = await heldAt(listener, 20);
    const drained = site.app.drain(new AbortController().signal);
    await until('it drains', () =>
      site.states().every((state) => state === 'draining 0') ? true : undefined,
    );
    threads.bringAbout('throw', 0);
    const { lost, retry } = await site.death();
    expect(retry).toBeUndefined();
    const rest = held.length - (lost['tftp'] ?? 0);
    expect(rest).toBeGreaterThan(0);
    for (const download of held) void download.finish().catch(() => undefined);
    expect(await drained).toBe('drained');
    expect(site.count('session.end')).toBe(rest);
  });

  test('leaves its requests to the others until it is back', async () => {
    const { site, threads, listener } = await startTftp(2);
    threads.areBroken = true;
    threads.bringAbout('throw', 0);
    await site.death();
    expect(await fetches(16, listener)).not.toContain(false);
    expect(site.app.status().workers).toMatchObject([
      { state: expect.stringMatching(/^waiting$|^starting$/) },
      { state: 'serving', restarts: 0 },
    ]);
    threads.areBroken = false;
    await until('it is back', () => site.states().every((state) => state.startsWith('serving')) || undefined);
    expect(await fetches(16, listener)).not.toContain(false);
  });
});

describe('a worker of FTP that dies', () => {
  test('costs its own sessions, gives back its passive ports, and the others go on', async () => {
    const server = await startFtpServer();
    const first = randomInt(20_000, 30_000);
    const passivePorts = `${first}-${first + 11}`;
    const threads = new FaultyThreads(2, tidPorts);
    const site = new Site({ ftpBackend: [backendOf(server)], tftp: false, passivePorts }, threads);
    await site.app.start();
    const listener = site.listener('ftp');
    const sessions = await Promise.all(Array.from({ length: 12 }, () => loginTo(listener)));
    for (const session of sessions) await session.epsv();
    expect(await site.metric('tftplb_ftp_passive_ports_used{service="ftp"}')).toBe(12);

    threads.bringAbout('throw', 1);
    const { ftp: lost = 0 } = (await site.death()).lost;
    expect(lost).toBeGreaterThan(0);
    await until('their clients hear of it', () => {
      return sessions.filter(({ ear }) => ear.isClosed || ear.events.includes('end')).length === lost
        ? true
        : undefined;
    });
    const others = sessions.filter(({ ear }) => ear.events.length === 0);
    expect(others).toHaveLength(12 - lost);
    for (const session of others) expect(await session.ask('NOOP')).toMatch(/^200 /);
    expect(await site.metric('tftplb_ftp_passive_ports_used{service="ftp"}')).toBe(12 - lost);
    expect(await site.metric('tftplb_sessions_lost_total{service="ftp"}')).toBe(lost);

    await until('it is back', () => (site.states()[1] === 'serving 1' ? true : undefined));
    const late = await Promise.all(Array.from({ length: lost }, () => loginTo(listener)));
    for (const session of late) await session.epsv();
    expect(await (await loginTo(listener)).ask('EPSV')).toMatch(/^425 /);
  });

  test('and is the only one leaves nobody who would answer, and comes back to the same port', async () => {
    const threads = new FaultyThreads(1, tidPorts);
    const site = new Site({ ftpBackend: [backendOf(await startFtpServer())], tftp: false }, threads);
    await site.app.start();
    const listener = site.listener('ftp');
    threads.areBroken = true;
    threads.bringAbout('throw', 0);
    await site.death();
    expect(site.app.listening('ftp')).toEqual([]);
    await expect(connectTo(listener)).rejects.toMatchObject({ code: 'TLB_ERR_REFUSED' });
    expect(site.app.readiness()).toMatchObject({ ready: false, reasons: ['no worker serves'] });
    threads.areBroken = false;
    await until('it is back', () => site.states()[0]?.startsWith('serving') || undefined);
    expect(site.listener('ftp')).toEqual(listener);
    expect(await (await connectTo(listener)).line()).toMatch(/^220 /);
    expect(site.app.readiness()).toMatchObject({ ready: true, reasons: [] });
  });
});

describe('a worker that cannot go on', () => {
  test('because it stands still is ended when the balancer stops', async () => {
    const { site, threads } = await startTftp(1);
    threads.bringAbout('hang', 0);
    await site.app.stop();
    expect(await site.death()).toMatchObject({ error: 'Error: the thread was ended', retry: undefined });
  });

  test('from its first moment on keeps the balancer from starting', async () => {
    const site = new Site({ tftpBackend: ['192.0.2.11'], ftp: false }, brokenThreads(2, tidPorts));
    await expect(site.app.start()).rejects.toThrow('no good');
    expect(site.count('worker.down')).toBe(0);
  });
});
