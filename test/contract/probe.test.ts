import { createHash } from 'node:crypto';
import { ExecProbe, type CommandEnd } from '../../src/health/exec-probe.ts';
import { FtpProbe } from '../../src/health/ftp-probe.ts';
import { TcpProbe } from '../../src/health/tcp-probe.ts';
import { TftpContentProbe } from '../../src/health/tftp-content-probe.ts';
import { TftpProbe } from '../../src/health/tftp-probe.ts';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import { MemoryNet } from '../../src/net/memory-net.ts';
import type { TcpSocket } from '../../src/net/tcp.ts';
import { encodeData, encodeError, encodeOack, ErrorCode } from '../../src/tftp/packet.ts';
import { probeContract, type ProbeWorld } from './probe.ts';

const address = '192.0.2.1';

/** Two hosts, and the probe on one of them. */
function worldOf(
  memory: MemoryNet,
  balancer: MemoryHost,
  port: number,
  probe: ProbeWorld['probe'],
): ProbeWorld {
  return {
    probe,
    backend: { name: 'server', address, port },
    play: (work) => memory.play(work),
    leftOpen: () => balancer.openSockets + memory.pendingTimers,
  };
}

/** A host that answers every datagram to the port of TFTP with `answer`, if that is one. */
function answering(memory: MemoryNet, answer: Uint8Array | undefined): void {
  const socket = memory.host([address]).bindUdp(
    { address, port: 69 },
    {
      onDatagram: (_data, port, from) => {
        if (answer) socket.send(answer, port, from);
      },
      onError: () => undefined,
    },
  );
}

const answers = {
  alive: encodeError(ErrorCode.fileNotFound, 'not found'),
  malformed: Buffer.from('what?'),
  timeout: undefined,
};

probeContract('tftp', ['alive', 'timeout', 'refused', 'malformed', 'failed'], (outcome) => {
  const memory = new MemoryNet({ seed: 1 });
  const balancer = memory.host(['192.0.2.100']);
  if (outcome === 'failed') balancer.descriptorLimit = 0;
  if (outcome === 'refused') memory.host([address]);
  else if (outcome !== 'failed') answering(memory, answers[outcome]);
  return worldOf(memory, balancer, 69, new TftpProbe(balancer, { file: 'health', timeout: 500 }));
});

const content = Buffer.from('all is well');
const contents = {
  alive: encodeData(1, content),
  'wrong-content': encodeData(1, Buffer.from('all is lost')),
  malformed: encodeOack({ blksize: '65464' }),
  timeout: undefined,
};

function sha256Digest() {
  const hash = createHash('sha256');
  return { update: (bytes: Uint8Array) => void hash.update(bytes), end: () => hash.digest('hex') };
}

const contentOutcomes = ['alive', 'timeout', 'refused', 'malformed', 'wrong-content', 'failed'] as const;

probeContract('tftp content', contentOutcomes, (outcome) => {
  const memory = new MemoryNet({ seed: 1 });
  const balancer = memory.host(['192.0.2.100']);
  if (outcome === 'failed') balancer.descriptorLimit = 0;
  if (outcome === 'refused') memory.host([address]);
  else if (outcome !== 'failed') answering(memory, contents[outcome]);
  const expected = createHash('sha256').update(content).digest('hex');
  const options = { file: 'health', timeout: 500, expected, digest: sha256Digest };
  return worldOf(memory, balancer, 69, new TftpContentProbe(balancer, options));
});

const dataPort = 2020;
const healthy = {
  greeting: '220 ready',
  USER: '331 password',
  PASS: '230 in',
  EPSV: `229 at (|||${dataPort}|)`,
  LIST: '150 here\r\n226 done',
};
/** What the server of each outcome says, by verb. */
const scripts = {
  alive: healthy,
  timeout: { ...healthy, LIST: '150 here' },
  malformed: { ...healthy, greeting: 'SSH-2.0-OpenSSH' },
  'login-refused': { ...healthy, PASS: '530 no' },
  'no-data': { ...healthy, LIST: '425 no connection' },
} as const;

const ftpOutcomes = [
  'alive',
  'timeout',
  'refused',
  'malformed',
  'login-refused',
  'no-data',
  'failed',
] as const;

probeContract('ftp', ftpOutcomes, (outcome) => {
  const memory = new MemoryNet({ seed: 1 });
  const balancer = memory.host(['192.0.2.100']);
  const server = memory.host([address]);
  if (outcome === 'failed') balancer.descriptorLimit = 0;
  else if (outcome !== 'refused') {
    listen(server, 21, (socket) => converse(socket, scripts[outcome]));
    listen(server, dataPort, (socket) => {
      socket.handle({ onData: ignore, onEnd: ignore, onDrain: ignore, onClose: ignore });
      socket.write(Buffer.from('a file\r\n'));
      socket.end();
    });
  }
  const login = { user: 'probe', password: 'secret' };
  return worldOf(memory, balancer, 21, new FtpProbe(balancer, { timeout: 500, login }));
});

const tcpOutcomes = ['alive', 'timeout', 'refused', 'failed'] as const;

probeContract('tcp', tcpOutcomes, (outcome) => {
  const memory = new MemoryNet({ seed: 1 });
  const balancer = memory.host(['192.0.2.100']);
  const server = memory.host([address]);
  if (outcome === 'failed') balancer.descriptorLimit = 0;
  if (outcome === 'timeout') server.state = 'silent';
  if (outcome === 'alive') listen(server, 21, (socket) => converse(socket, {}));
  return worldOf(memory, balancer, 21, new TcpProbe(balancer, { port: undefined, timeout: 500 }));
});

const execOutcomes = ['alive', 'timeout', 'command-failed', 'failed'] as const;
const ends: Partial<Record<(typeof execOutcomes)[number], CommandEnd>> = {
  alive: { code: 0, firstLine: 'well' },
  'command-failed': { code: 3, firstLine: 'ill' },
};

probeContract('exec', execOutcomes, (outcome) => {
  const clock = new MemoryNet({ seed: 1 });
  let running = 0;
  const start = () => {
    const { promise: ended, resolve, reject } = Promise.withResolvers<CommandEnd>();
    running += 1;
    const kill = (): void => {
      running -= 1;
      resolve({ code: undefined, firstLine: '' });
    };
    const end = ends[outcome];
    if (end) resolve(end);
    if (outcome === 'failed') reject(new Error('no such program'));
    return { ended, kill };
  };
  const options = { program: '/bin/check', args: [], timeout: 500, onOutput: ignore };
  return {
    probe: new ExecProbe(clock, start, options),
    backend: { name: 'server', address, port: 69 },
    play: (work) => clock.play(work),
    leftOpen: () => running + clock.pendingTimers,
  };
});

function listen(server: MemoryHost, port: number, onConnection: (socket: TcpSocket) => void): void {
  void server.listenTcp({ address, port }, { onConnection, onError: ignore });
}

function converse(socket: TcpSocket, script: Readonly<Record<string, string>>): void {
  const say = (text: string): void => void socket.write(Buffer.from(`${text}\r\n`));
  socket.handle({
    onData: (data) => {
      const [verb = ''] = Buffer.from(data).toString('latin1').split(/[ \r]/, 1);
      const reply = script[verb];
      if (reply !== undefined) say(reply);
    },
    onEnd: () => socket.end(),
    onDrain: ignore,
    onClose: ignore,
  });
  say(script['greeting'] ?? '');
}

function ignore(): void {
  // Nothing that a check depends on.
}
