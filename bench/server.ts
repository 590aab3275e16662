/** The TFTP server of the bench, on addresses that its only argument names. */
import type { ServerOrder, ServerPlaces } from './messages.ts';
import { Responder } from './wire/responder.ts';
import { Wire } from './wire/wire.ts';

const { addresses, port } = JSON.parse(process.argv[2] ?? '') as ServerOrder;
const wire = new Wire();
const places: ServerPlaces = addresses.map((address) => ({
  ordinary: new Responder(wire, { address, port }, 'ephemeral').local,
  singlePort: new Responder(wire, { address, port: 0 }, 'single-port').local,
}));
wire.start();
process.send?.(places);
// Whoever has started this is gone.
process.once('disconnect', () => process.exit());
