/** Real TFTP servers, each with a folder, an address and a port of its own. */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatEndpoint } from '../../src/net/net.ts';
import { temporaryFolder } from './folders.ts';
import { requirePeer, type Command, type PeerName } from './peers.ts';
import { Program } from './processes.ts';
import { answers, freePort } from './sockets.ts';

interface Place {
  readonly address: string;
  readonly port: number;
  readonly root: string;
}

interface ServerSpec {
  readonly peer: PeerName;
  readonly args: (place: Place) => readonly string[];
  /** Serves this port alone, so that every instance needs an address of its own. */
  readonly onlyPort?: number;
  /** Accepts uploads. */
  readonly writes: boolean;
  /** Understands windowsize (RFC 7440). */
  readonly windows: boolean;
  /** Can listen on ::1 at a free port. */
  readonly ipv6: boolean;
}

export const serverNames = ['tftpd-hpa', 'atftpd', 'dnsmasq', 'dnsmasq --tftp-single-port'] as const;
export type ServerName = (typeof serverNames)[number];

const groupName = (): string => execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();

const dnsmasqArgs = ({ address, root }: Place): readonly string[] => [
  '--no-daemon',
  '--conf-file=/dev/null',
  '--pid-file=',
  '--user=root',
  '--port=0',
  // With --bind-interfaces version 2.90 never answers in single-port mode.
  '--bind-dynamic',
  `--listen-address=${address}`,
  '--enable-tftp',
  `--tftp-root=${root}`,
  '--tftp-max=250',
];

export const serverSpecs: Readonly<Record<ServerName, ServerSpec>> = {
  'tftpd-hpa': {
    peer: 'tftpd-hpa',
    args: ({ address, port, root }) => [
      '--foreground',
      '--create',
      '--secure',
      '--user=root',
      `--address=${formatEndpoint(address, port)}`,
      root,
    ],
    writes: true,
    windows: false,
    ipv6: true,
  },
  atftpd: {
    peer: 'atftpd',
    args: ({ address, port, root }) => [
      '--daemon',
      '--no-fork',
      '--logfile=-',
      '--maxthread=300',
      `--user=${userInfo().username}.${groupName()}`,
      `--bind-address=${address}`,
      `--port=${port}`,
      root,
    ],
    writes: true,
    windows: true,
    ipv6: true,
  },
  dnsmasq: { peer: 'dnsmasq', args: dnsmasqArgs, onlyPort: 69, writes: false, windows: false, ipv6: false },
  'dnsmasq --tftp-single-port': {
    peer: 'dnsmasq',
    args: (place) => [...dnsmasqArgs(place), '--tftp-single-port'],
    onlyPort: 69,
    writes: false,
    windows: false,
    ipv6: false,
  },
};

/** A server that answers. */
export interface Server {
  readonly name: ServerName;
  readonly address: string;
  readonly port: number;
  /** Its folder; whatever is written into it is served. */
  readonly root: string;
  readonly program: Program;
}

async function choosePlace(spec: ServerSpec, address: string): Promise<Omit<Place, 'root'>> {
  if (spec.onlyPort === undefined) return { address, port: await freePort(address) };
  const own = `127.77.${randomInt(1, 255)}.${randomInt(1, 255)}`;
  return { address: own, port: spec.onlyPort };
}

/** True once it answers; false if it ended or stays silent. */
async function isServing(program: Program, { address, port }: Place): Promise<boolean> {
  const deadline = Date.now() + 5_000;
  while (program.exit === undefined && Date.now() < deadline) {
    if (await answers(address, port, 100)) return program.exit === undefined;
    await sleep(10);
  }
  return false;
}

/** Starts a server on `address`, or on one of its own where it knows a single port only, and waits until it answers. */
export async function startServer(name: ServerName, address = '127.0.0.1'): Promise<Server> {
  const spec = serverSpecs[name];
  const command: Command = requirePeer(spec.peer);
  const root = temporaryFolder('root');
  let report = '';
  // The port may be taken by somebody else before the server binds it.
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const place = { ...(await choosePlace(spec, address)), root };
    const program = new Program(command, spec.args(place));
    if (await isServing(program, place)) return { name, ...place, program };
    await program.stop();
    report = `${program.name}\n${program.stdout}${program.stderr}`;
  }
  throw new Error(`${name} does not answer:\n${report}`);
}
