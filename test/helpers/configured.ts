/** The balancer with a configuration file, as operators change it while it runs. */
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { formatEndpoint, type Endpoint } from '../../src/net/net.ts';
import { Balancer, endpointOf, type Line } from './balancer.ts';
import { entry } from './entry.ts';
import { temporaryFolder } from './folders.ts';
import { Program, until } from './processes.ts';

/** Keys of a service, beside its protocol and its backends, in YAML that fits into one line. */
export interface ServiceText {
  readonly protocol?: 'tftp' | 'ftp';
  readonly listeners?: readonly string[];
  readonly backends: readonly (Endpoint | string)[];
  readonly more?: string;
}

/** A file with these services, without health checks, on ports that the kernel chooses. */
export function fileOf(services: Readonly<Record<string, ServiceText>>): string {
  const sections = Object.entries(services).map(([name, service]) => {
    const {
      protocol = 'tftp',
      listeners = ['127.0.0.1:0'],
      backends,
      more = 'policy: round-robin',
    } = service;
    const places = backends.map((backend) => (typeof backend === 'string' ? backend : placeOf(backend)));
    return `  ${name}: { protocol: ${protocol}, listeners: ${list(listeners)}, backends: ${list(places)}, health: { interval: 0 }, ${more} }\n`;
  });
  return `services:\n${sections.join('')}admin: { listen: "127.0.0.1:0" }\n`;
}

export function placeOf({ address, port }: Endpoint): string {
  return formatEndpoint(address, port);
}

function list(entries: readonly string[]): string {
  return `[${entries.map((entry) => JSON.stringify(entry)).join(', ')}]`;
}

export class ConfiguredBalancer {
  readonly file: string;
  readonly balancer: Balancer;

  private constructor(file: string, balancer: Balancer) {
    this.file = file;
    this.balancer = balancer;
  }

  /** Starts it with a file of its own. */
  static async start(text: string, flags: readonly string[] = []): Promise<ConfiguredBalancer> {
    const file = path.join(temporaryFolder('config'), 'lab.yaml');
    writeFileSync(file, text);
    const command = { program: process.execPath, env: {} };
    const program = new Program(command, [entry, '--config', file, ...flags]);
    const balancer = new Balancer(program, []);
    await until('the balancer serves', () => {
      if (program.exit !== undefined) throw new Error(`it ended:\n${program.stdout}${program.stderr}`);
      return balancer.lines().find(({ msg }) => msg === 'serving');
    });
    return new ConfiguredBalancer(file, balancer);
  }

  /** Puts another file in the place of the one that there is, as editors do. */
  write(text: string): void {
    writeFileSync(`${this.file}.new`, text);
    renameSync(`${this.file}.new`, this.file);
  }

  /** Writes another file and has it read. Returns what the log says of it. */
  async reload(text: string): Promise<Line> {
    const before = this.outcomes().length;
    this.write(text);
    this.balancer.program.signal('SIGHUP');
    return this.outcome(before);
  }

  /** What became of each reload so far. */
  outcomes(): Line[] {
    return this.balancer
      .lines()
      .filter(({ event }) => event === 'config.applied' || event === 'config.refused');
  }

  /** Waits for the outcome behind so many others. */
  outcome(index: number): Promise<Line> {
    return until('the file has been read', () => this.outcomes()[index]);
  }

  /** The value of a metric without labels. */
  async gauge(name: string): Promise<number> {
    const metrics = await (await this.balancer.admin('/metrics')).text();
    const line = metrics.split('\n').find((series) => series.startsWith(`${name} `));
    return Number(line?.split(' ')[1]);
  }

  /** Where a service listens now, its first listener. */
  async listener(service: string): Promise<Endpoint> {
    const { services } = await this.balancer.status();
    const [first] = services.find(({ name }) => name === service)?.listeners ?? [];
    if (first === undefined) throw new Error(`${service} listens nowhere`);
    return endpointOf(first);
  }
}
