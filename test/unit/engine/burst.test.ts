import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { Listener } from '../../../src/engine/listeners.ts';
import type { UdpHandlers } from '../../../src/net/net.ts';
import type { TidNet } from '../../../src/net/tids.ts';
import { tidNets } from '../../helpers/tid-nets.ts';

const loopback = '127.0.0.1';
const nothing = (): void => {};

interface Socket {
  readonly port: number;
  close(): void;
}

function kernelSetting(name: string): number {
  try {
    return Number(readFileSync(`/proc/sys/net/core/${name}`, 'utf8'));
  } catch {
    return 0;
  }
}

function openListener(net: TidNet, handlers: UdpHandlers): Socket {
  return new Listener(
    net,
    { address: loopback, port: 0 },
    { kind: 'single-port' },
    {
      onDatagram: (_listener, data, port, address) => handlers.onDatagram(data, port, address),
      onGone: nothing,
      onFailed: nothing,
      onSendFailed: nothing,
      onStranger: nothing,
    },
  );
}

/** How many datagrams of a burst are kept that is over before anybody reads. */
async function keptOf(net: TidNet, burst: number, open: (handlers: UdpHandlers) => Socket): Promise<number> {
  const { promise: over, resolve: markCame } = Promise.withResolvers<void>();
  const sender = net.bindUdp({ address: loopback, port: 0 }, { onDatagram: nothing, onError: nothing });
  let kept = 0;
  const onDatagram = (data: Uint8Array): void => {
    if (data.length === 0) return markCame();
    // There is room for a mark now, and it comes last.
    if (kept === 0) sender.send(new Uint8Array(0), receiver.port, loopback);
    kept += 1;
  };
  const receiver = open({ onDatagram, onError: nothing });
  for (let sent = 0; sent < burst; sent++) sender.send(new Uint8Array(1_400), receiver.port, loopback);
  await over;
  receiver.close();
  sender.close();
  return kept;
}

describe.each(tidNets)('a listener on $name', (kind) => {
  const standard = kernelSetting('rmem_default');

  it.skipIf(kind.isSkipped || standard === 0 || kernelSetting('rmem_max') < standard)(
    'keeps more of a burst than a socket with the default buffer',
    async () => {
      const opened = kind.open();
      const { net } = opened;
      // More than the default holds, as the kernel counts its own overhead too.
      const burst = Math.ceil((standard / 1_400) * 1.3);
      const usual = await keptOf(net, burst, (handlers) =>
        net.bindUdp({ address: loopback, port: 0 }, handlers),
      );
      const kept = await keptOf(net, burst, (handlers) => openListener(net, handlers));
      expect(kept).toBeGreaterThan(usual * 1.2);
      opened.close();
    },
  );
});
