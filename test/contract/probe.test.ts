import { FtpProbe } from '../../src/health/ftp-probe.ts';
import { TftpProbe } from '../../src/health/tftp-probe.ts';
import type { MemoryHost } from '../../src/net/memory-host.ts';
import { MemoryNet } from '../../src/net/memory-net.ts';
import type { TcpSocket } from '../../src/net/tcp.ts';
import { probeOutcomes } from '../../src/observe/events.ts';
import { encodeError, ErrorCode } from '../../src/tftp/packet.ts';
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
    backend: { address, port },
    play: (work) => memory.play(work),
    leftOpen: () => balancer.openSockets + memory.pendingTimers,
  };
}

const answers = {
  alive: encodeError(ErrorCode.fileNotFound, 'not found'),
  malformed: Buffer.from('what?'),
  timeout: undefined,
};

probeContract('tftp', ['alive', 'timeout', 'refused', 'malformed', 'failed'], (outcome) => {
  const memory = new MemoryNet({ seed: 1 });
  const balancer = memory.host(['192.0.2.100']);
  const server = memory.host([address]);
  if (outcome === 'failed') balancer.descriptorLimit = 0;
  else if (outcome !== 'refused') {
    const answer = answers[outcome];
    const socket = server.bindUdp(
      { address, port: 69 },
      {
        onDatagram: (_data, port, from) => {
          if (answer) socket.send(answer, port, from);
        },
        onError: () => undefined,
      },
    );
  }
  return worldOf(memory, balancer, 69, new TftpProbe(balancer, { file: 'health', timeout: 500 }));
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

probeContract('ftp', probeOutcomes, (outcome) => {
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
