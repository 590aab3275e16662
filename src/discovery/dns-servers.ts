import type { Endpoint } from '../net/net.ts';
import { numericAddress } from './addresses.ts';
import type { Files } from './files.ts';

const resolvConf = '/etc/resolv.conf';
const maxSize = 65_536;
/** What resolv.conf(5) allows; what follows is ignored there, too. */
const maxServers = 3;
const dnsPort = 53;
/** Who is asked if the file names nobody, or cannot be read. */
const localServer: Endpoint = { address: '127.0.0.1', port: dnsPort };

/** The servers that a resolv.conf names, in its order. Its other settings are for those who look up unfinished names. */
export function serversOf(text: string): Endpoint[] {
  const servers = text.split('\n').flatMap((line) => {
    const address = numericAddress(/^\s*nameserver\s+([^\s#;]+)/.exec(line)?.[1] ?? '');
    return address === undefined ? [] : [{ address, port: dnsPort }];
  });
  return servers.length === 0 ? [localServer] : servers.slice(0, maxServers);
}

/** The servers that this system asks. */
export async function systemServers(files: Pick<Files, 'read'>): Promise<Endpoint[]> {
  return serversOf(await files.read(resolvConf, maxSize).catch(() => ''));
}
