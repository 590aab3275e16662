/**
 * A client under TLS that never ends its uploads: it is there to be killed. It reads what to do as JSON, says `open` when
 * the server waits for all of them. Once it gets SIGUSR2 it writes; it says `writing`, and `still` when nothing moves any
 * more.
 */
import { once } from 'node:events';
import { json } from 'node:stream/consumers';
import type { Endpoint } from '../../src/net/net.ts';
import { noise } from './folders.ts';
import { Led, type LedOptions } from './ftps-led.ts';
import { still } from './pressure.ts';
import { Program } from './processes.ts';

/** What it is to do: each upload in a session of its own. */
interface Doom {
  readonly listener: Endpoint;
  readonly options: LedOptions;
  readonly user: string;
  readonly password: string;
  readonly uploads: readonly { readonly name: string; readonly size: number }[];
}

export function startDoomed(doom: Doom): Program {
  const { listener, options, user, password, uploads } = doom;
  const input = JSON.stringify({ listener, options, user, password, uploads });
  return new Program({ program: process.execPath, env: {} }, [import.meta.filename], { input });
}

async function serve({ listener, options, uploads, ...login }: Doom): Promise<void> {
  const begun = once(process, 'SIGUSR2');
  const open = await Promise.all(
    uploads.map(async ({ name, size }) => {
      const client = new Led(listener, options);
      await client.secure();
      await client.login(login);
      return { ...(await client.begin(`STOR ${name}`)), size };
    }),
  );
  process.stdout.write('open\n');
  await begun;
  for (const { tls, size } of open) tls.write(noise(size));
  process.stdout.write('writing\n');
  await still(() => open.reduce((sum, { wire }) => sum + wire.sent, 0));
  process.stdout.write('still\n');
}

if (import.meta.main) await serve((await json(process.stdin)) as Doom);
