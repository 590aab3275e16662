import { TftpProbe } from '../../src/health/tftp-probe.ts';
import { MemoryNet } from '../../src/net/memory-net.ts';
import type { ProbeOutcome } from '../../src/observe/events.ts';
import { encodeError, ErrorCode } from '../../src/tftp/packet.ts';
import { probeContract, type ProbeWorld } from './probe.ts';

const backend = { address: '192.0.2.1', port: 69 };
const answers = {
  alive: encodeError(ErrorCode.fileNotFound, 'not found'),
  malformed: Buffer.from('what?'),
  timeout: undefined,
};

probeContract('tftp', (outcome: ProbeOutcome): ProbeWorld => {
  const memory = new MemoryNet({ seed: 1 });
  const balancer = memory.host(['192.0.2.100']);
  const server = memory.host([backend.address]);
  if (outcome === 'failed') balancer.descriptorLimit = 0;
  else if (outcome !== 'refused') {
    const answer = answers[outcome];
    const socket = server.bindUdp(backend, {
      onDatagram: (_data, port, address) => {
        if (answer) socket.send(answer, port, address);
      },
      onError: () => undefined,
    });
  }
  return {
    probe: new TftpProbe(balancer, { file: 'health', timeout: 500 }),
    backend,
    play: (work) => memory.play(work),
    leftOpen: () => balancer.openSockets + memory.pendingTimers,
  };
});
