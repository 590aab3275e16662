/**
 * The load generator of the bench: TFTP clients that do no more for each datagram than they must. There is no timer
 * per transfer; now and then all of them are looked through for one that has stalled.
 */
import type { LoadCount, LoadOrder } from './messages.ts';
import { type Crowd, startLoad } from './wire/loads.ts';
import { Wire } from './wire/wire.ts';

/** Milliseconds between two looks; what has stalled for one to two of them is repeated. */
const sweepInterval = 250;

const wire = new Wire();
let crowd: Crowd | undefined;

function obey(order: LoadOrder): void {
  switch (order.kind) {
    case 'start':
      crowd = startLoad(wire, order.load, order.ends);
      break;
    case 'count':
      break;
    case 'stop':
      crowd?.stop();
      crowd = undefined;
  }
  const counted = crowd?.count() ?? { units: 0, repeats: 0, errors: 0, latencies: [] };
  const answer: LoadCount = { ...counted, at: performance.now() / 1_000 };
  process.send?.(answer);
}

setInterval(() => crowd?.sweep(), sweepInterval);
wire.start();
process.on('message', obey);
// Whoever has started this is gone.
process.once('disconnect', () => process.exit());
