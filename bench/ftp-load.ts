/** The load generator of the ftp suite: many FTP sessions in one process that keeps nothing of what they move. */
import type { FtpAnswer, FtpFaults, FtpOrder } from './ftp-messages.ts';
import { FtpCrowd } from './wire/ftp-crowd.ts';

const noFaults: FtpFaults = { repeats: 0, errors: 0 };

let crowd: FtpCrowd | undefined;

async function obey(order: FtpOrder): Promise<void> {
  switch (order.kind) {
    case 'open':
      crowd = new FtpCrowd(order.port, order.load, order.isSecure);
      await crowd.open();
      break;
    case 'run':
      await crowd?.run();
      break;
    case 'close':
      await crowd?.close();
      crowd = undefined;
  }
}

async function answer(order: FtpOrder): Promise<FtpAnswer> {
  const begin = performance.now();
  try {
    await obey(order);
    return { kind: 'done', seconds: (performance.now() - begin) / 1_000, ...(crowd?.faults ?? noFaults) };
  } catch (error) {
    crowd?.destroy();
    crowd = undefined;
    return {
      kind: 'failed',
      reason: `${order.kind}: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

process.on('message', (order: FtpOrder) => {
  void answer(order).then((result) => process.send?.(result));
});
// Whoever has started this is gone.
process.once('disconnect', () => process.exit());
