/**
 * The network that the documentation speaks of, so that its commands can be run as they stand: two hosts in network
 * namespaces of their own, with the addresses that are reserved for examples (RFC 5737, RFC 3849).
 *
 *   the balancer's host                                    the servers' host
 *   192.0.2.1, 2001:db8::2  ◀───── a virtual cable ─────▶  192.0.2.11, 192.0.2.12, 2001:db8::1, 2001:db8::12
 */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { noise, temporaryFolder } from './folders.ts';
import { addressing, Host, hostsObstacle, said, type CommandLine } from './hosts.ts';
import { obstacle, requirePeer, strict } from './peers.ts';
import { Program, run, type Exit } from './processes.ts';

const root = path.join(import.meta.dirname, '../..');
const tftpProgram = fileURLToPath(new URL('./site-servers.ts', import.meta.url));
const ftpProgram = fileURLToPath(new URL('./site-ftp-servers.ts', import.meta.url));

/** What every server of the site has, by name. */
export const siteFiles: Readonly<Record<string, Uint8Array>> = {
  'boot/menu.cfg': noise(5_120, 'menu'),
  'pxelinux.0': noise(40_000, 'loader'),
  'images/kernel': noise(200_000, 'kernel'),
  motd: Buffer.from('welcome\nto the lab\n'),
};
const tftpPlaces = ['192.0.2.11:69', '192.0.2.12:69', '[2001:db8::12]:6969', '[2001:db8::1]:6969'];
/** At port 21. They serve one folder together. */
const ftpAddresses = ['192.0.2.11', '192.0.2.12'];
const hosts = '127.0.0.1 localhost\n192.0.2.11 tftp.example\n';

/** Why there can be no site here; undefined if there can. */
export const siteObstacle: string | undefined = obstacle('curl') ?? hostsObstacle;
/** For `describe.skipIf`: never true where a site that cannot be had must be a failure. */
export const lacksSite: boolean = siteObstacle !== undefined && !strict;

export class Site {
  /** Where commands are run. */
  readonly folder: string = temporaryFolder('site');
  readonly #shims: string = temporaryFolder('shims');
  #host: Host | undefined;

  /** Resolves when the servers answer. The site ends with all other programs of the tests. */
  async open(): Promise<void> {
    this.#writeShims();
    const hostsFile = path.join(this.#shims, 'hosts');
    writeFileSync(hostsFile, hosts);
    const names = `mount --bind ${hostsFile} /etc/hosts`;
    const balancer = await Host.first(names);
    const servers = await balancer.another();
    this.#host = balancer;
    await balancer.sh(`ip link add balancer type veth peer name servers netns ${servers.pid}`);
    await balancer.sh(addressing('balancer', ['192.0.2.1'], ['2001:db8::2']));
    await servers.sh(addressing('servers', ['192.0.2.11', '192.0.2.12'], ['2001:db8::1', '2001:db8::12']));
    await serve(servers);
  }

  /** Runs a line of shell to its end. */
  async run(line: string, folder: string = this.folder): Promise<Exit> {
    const [program, ...args] = this.#shell(line, folder);
    return run({ program, env: this.#env }, args, { timeout: 25_000 });
  }

  /** Starts a program by a line of shell, and waits until its output says `word`. */
  async start(line: string, word: string): Promise<Program> {
    const [program, ...args] = this.#shell(`exec ${line}`, this.folder);
    const started = new Program({ program, env: this.#env }, args);
    await said(started, word);
    return started;
  }

  #shell(line: string, folder: string): CommandLine {
    if (this.#host === undefined) throw new Error('the site is not open');
    return this.#host.on(folder, 'sh', '-c', line);
  }

  /** The programs that the documentation takes for granted, this repository's own among them. */
  #writeShims(): void {
    const curl = requirePeer('curl');
    const settings = Object.entries(curl.env).map(([name, value]) => `${name}='${value}' `);
    const launcher = path.join(root, 'bin/tftp-lb.cjs');
    this.#writeShim('tftp-lb', `exec '${process.execPath}' '${launcher}' "$@"`);
    this.#writeShim('curl', `${settings.join('')}exec '${curl.program}' "$@"`);
    this.#writeShim('dmesg', 'echo a line of the kernel');
  }

  #writeShim(name: string, script: string): void {
    const file = path.join(this.#shims, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`);
    chmodSync(file, 0o755);
  }

  get #env(): Readonly<Record<string, string>> {
    return { PATH: `${this.#shims}:${path.dirname(process.execPath)}:${process.env['PATH']}` };
  }
}

async function serve(host: Host): Promise<void> {
  const files = temporaryFolder('files');
  for (const [name, content] of Object.entries(siteFiles)) {
    mkdirSync(path.join(files, path.dirname(name)), { recursive: true });
    writeFileSync(path.join(files, name), content);
  }
  await serveBy(host, tftpProgram, files, ...tftpPlaces);
  await serveBy(host, ftpProgram, files, ...ftpAddresses);
}

async function serveBy(host: Host, script: string, ...settings: readonly string[]): Promise<void> {
  const [program, ...args] = host.on('/', process.execPath, script, ...settings);
  await said(new Program({ program, env: {} }, args), 'serve');
}
