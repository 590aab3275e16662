import { HostSource } from '../../src/discovery/host-source.ts';
import { MemoryNet } from '../../src/net/memory-net.ts';
import { pass } from '../helpers/virtual-time.ts';
import { backendSourceContract, type SourceState } from './backend-source.ts';

const addresses: Record<SourceState, readonly string[]> = {
  first: ['192.0.2.1'],
  second: ['192.0.2.1', '192.0.2.2'],
  broken: [],
};
const common = { port: 69, weight: 2 };

backendSourceContract('hosts', (state) => {
  const memory = new MemoryNet({ seed: 1 });
  const become = (state: SourceState): void => void memory.names.set('boot.test', addresses[state]);
  become(state);
  return {
    source: new HostSource(memory.host(['127.0.0.1']), {
      backends: [{ host: 'boot.test', ...common }],
      interval: 1000,
    }),
    backends: {
      first: [{ name: 'boot.test', address: '192.0.2.1', ...common }],
      second: [
        { name: 'boot.test@192.0.2.1', address: '192.0.2.1', ...common },
        { name: 'boot.test@192.0.2.2', address: '192.0.2.2', ...common },
      ],
    },
    become,
    pass: () => pass(memory, 1000),
    leftOpen: () => memory.pendingTimers,
  };
});
