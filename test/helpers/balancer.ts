/** The balancer as users run it: a process of its own, seen through its log and its admin endpoints. */
import { readdirSync } from 'node:fs';
import { request } from 'node:http';
import { formatEndpoint, type Endpoint } from '../../src/net/net.ts';
import type { DropReason, SessionEnd } from '../../src/observe/events.ts';
import type { BackendStatus, Status } from '../../src/observe/status.ts';
import { entry as tftpLb } from './entry.ts';
import { Program, until, type StartOptions } from './processes.ts';

/** A line of the log. */
export interface Line {
  readonly level: string;
  readonly msg: string;
  readonly event?: string;
  readonly listener?: string;
  readonly [field: string]: unknown;
}

type Ended = Line & Omit<SessionEnd, 'kind'>;

export interface BalancerOptions {
  /** The only one that is balanced; TFTP if left out. */
  readonly protocol?: 'tftp' | 'ftp';
  /** One listener each; 127.0.0.1 if left out. */
  readonly vips?: readonly string[];
  /** Added to the command line. */
  readonly flags?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** How many file descriptors it may have; as many as the tests if left out. */
  readonly descriptors?: number;
  /** The file that Node runs; the balancer itself if left out. */
  readonly entry?: string;
  /** Where it runs; on this host if left out. Its admin endpoints cannot be reached from any other. */
  readonly host?: StartOptions['host'];
}

export class Balancer {
  readonly program: Program;
  /** In the order of the VIPs. */
  readonly listeners: readonly Endpoint[];

  constructor(program: Program, vips: readonly string[]) {
    this.program = program;
    this.listeners = linesOf(program)
      .flatMap(({ event, listener }) => (event === 'listener.up' && listener ? [endpointOf(listener)] : []))
      .toSorted((a, b) => vips.indexOf(a.address) - vips.indexOf(b.address));
  }

  /** The listener on the first VIP. */
  get listener(): Endpoint {
    const [first] = this.listeners;
    if (first === undefined) throw new Error(`no listener:\n${this.program.stdout}`);
    return first;
  }

  /** What the log has so far. */
  lines(): Line[] {
    return linesOf(this.program);
  }

  /** Waits until the log has a line with these fields. */
  async said(fields: Readonly<Record<string, unknown>>, timeout?: number): Promise<Line> {
    return until(`the log says ${JSON.stringify(fields)}`, () => this.#saying(fields)[0], timeout);
  }

  /** How many lines of the log have these fields so far. */
  saidTimes(fields: Readonly<Record<string, unknown>>): number {
    return this.#saying(fields).length;
  }

  /** The transfers that have ended so far, oldest first. */
  sessions(): Ended[] {
    return linesOf(this.program).filter(({ event }) => event === 'session.end') as Ended[];
  }

  /** Waits until `count` transfers have ended. */
  async ended(count: number): Promise<Ended[]> {
    return until(`${count} transfers have ended`, () => {
      const sessions = this.sessions();
      return sessions.length >= count ? sessions : undefined;
    });
  }

  /** Waits until `count` FTP transfers have ended. Each is its result and the code that the client got. */
  async transfers(count: number): Promise<string[]> {
    return until(`${count} FTP transfers have ended`, () => {
      const ended = this.lines().filter(({ event }) => event === 'ftp.transfer');
      if (ended.length < count) return undefined;
      return ended.map(({ result, code }) => `${String(result)} ${String(code)}`);
    });
  }

  /** How many of the transfers that have ended were served by each backend. */
  shares(): Record<string, number> {
    const shares: Record<string, number> = {};
    for (const { backend } of this.sessions()) shares[backend] = (shares[backend] ?? 0) + 1;
    return shares;
  }

  /** The sum of the series of a metric that have these labels; NaN if there is none. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const metrics = await (await this.admin('/metrics')).text();
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    const series = metrics
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) && wanted.every((label) => line.includes(label)));
    if (series.length === 0) return Number.NaN;
    return series.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  }

  /** How many datagrams were dropped for this reason, as the metrics have it. */
  drops(reason: DropReason): Promise<number> {
    return this.metric('tftplb_dropped_datagrams_total', { reason });
  }

  /** How many file descriptors it holds. */
  descriptors(): number {
    return readdirSync(`/proc/${this.program.pid}/fd`).length;
  }

  async status(): Promise<Status> {
    return (await this.admin('/status')).json() as Promise<Status>;
  }

  /** Its admin socket. */
  get socket(): string {
    const line = this.lines().find(({ msg }) => msg === 'admin socket listens');
    if (line === undefined) throw new Error(`no admin socket:\n${this.program.stdout}`);
    return String(line['path']);
  }

  /** Gives an order at its admin socket, as `drain` for `tftp/b0`; resolves to the status code. */
  order(backend: string, order: string): Promise<number> {
    return this.post(`/backends/${backend}/${order}`);
  }

  /** Asks for a change at its admin socket; resolves to the status code. */
  post(path: string): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const asking = request({ socketPath: this.socket, method: 'POST', path, agent: false }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    asking.on('error', reject).end();
    return promise;
  }

  /** How a backend stands, of the only service. */
  async backend(name: string): Promise<BackendStatus> {
    const { services } = await this.status();
    const found = services[0]?.backends.find((backend) => backend.name === name);
    if (found === undefined) throw new Error(`no backend ${name}`);
    return found;
  }

  /** Asks the admin endpoints. */
  admin(resource: string, init?: RequestInit): Promise<Response> {
    const admin = this.lines().find(({ msg }) => msg === 'admin endpoints listen');
    if (admin === undefined) throw new Error(`no admin endpoints:\n${this.program.stdout}`);
    return fetch(
      `http://${formatEndpoint(String(admin['address']), Number(admin['port']))}${resource}`,
      init,
    );
  }

  #saying(fields: Readonly<Record<string, unknown>>): Line[] {
    const wanted = Object.entries(fields);
    return this.lines().filter((line) => wanted.every(([name, value]) => line[name] === value));
  }
}

function linesOf({ stdout }: Program): Line[] {
  const whole = stdout.slice(0, stdout.lastIndexOf('\n') + 1);
  const lines = whole.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Line);
}

/** A listener as the log has it. */
export function endpointOf(text: string): Endpoint {
  const [, address = '', port] = /^\[?(.+?)\]?:(\d+)$/.exec(text) ?? [];
  return { address, port: Number(port) };
}

/**
 * Starts the balancer in front of `backends`, named b0, b1 and so on, on ports that the kernel chooses. Health checks
 * are off, so that requests alone find out what is wrong.
 */
export async function startBalancer(
  backends: readonly Endpoint[],
  options: BalancerOptions = {},
): Promise<Balancer> {
  const { protocol = 'tftp', vips = ['127.0.0.1'], flags = [], env = {}, entry = tftpLb } = options;
  const args = [
    entry,
    ...vips.map((vip) => `--vip=${vip}`),
    ...backends.map(
      ({ address, port }, index) => `--backend=${formatEndpoint(address, port)},name=b${index}`,
    ),
    ...(protocol === 'tftp' ? ['--no-ftp', '--tftp-port=0'] : ['--no-tftp', '--ftp-port=0']),
    '--health-interval=0',
    '--admin=127.0.0.1:0',
    ...flags,
  ];
  const program = startNode(args, env, options);
  return until('the balancer serves', () => {
    if (program.exit !== undefined)
      throw new Error(`the balancer ended:\n${program.stdout}${program.stderr}`);
    return linesOf(program).some(({ msg }) => msg === 'serving') ? new Balancer(program, vips) : undefined;
  });
}

function startNode(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  { descriptors, host }: BalancerOptions,
): Program {
  if (descriptors === undefined) return new Program({ program: process.execPath, env }, args, { host });
  const script = `ulimit -n ${descriptors} && exec "$0" "$@"`;
  return new Program({ program: 'sh', env }, ['-c', script, process.execPath, ...args], { host });
}
