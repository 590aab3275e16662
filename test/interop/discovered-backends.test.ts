/** The balancer as a process, with backends that a real DNS server knows: when its records change, others serve. */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { Endpoint } from '../../src/net/net.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { ConfiguredBalancer, placeOf } from '../helpers/configured.ts';
import { DnsDaemon, lacksDnsmasq } from '../helpers/dns-daemon.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { stopAll } from '../helpers/processes.ts';
import { freePort, ownLoopback } from '../helpers/sockets.ts';

afterEach(stopAll);
afterAll(cleanUp);

const name = '_tftp._udp.boot.test';

/** A service of TFTP that looks every second where times to live allow it. */
function serviceOf(daemon: DnsDaemon, dns: string): string {
  return `services:
  pxe:
    protocol: tftp
    listeners: ["127.0.0.1:0"]
    health: { interval: 0 }
    discovery:
      dns: { ${dns}, min-interval: 1s }
      dns-servers: ["${placeOf(daemon)}"]
admin: { listen: "127.0.0.1:0" }
`;
}

/** What each server has its name in. */
async function whoServes(site: ConfiguredBalancer): Promise<string> {
  return (await fetchFile(await site.listener('pxe'), 'name')).bytes.toString();
}

function server(name: string, at?: Endpoint): Endpoint {
  return startEmbedded({ name: Buffer.from(name) }, at);
}

describe.skipIf(lacksDnsmasq)('a balancer that asks dnsmasq', () => {
  test('sends sessions to a new address', async () => {
    const [first, second] = [ownLoopback(), '127.0.0.1'];
    const port = await freePort(first);
    server('first', { address: first, port });
    server('second', { address: second, port });
    const daemon = await DnsDaemon.start([`${first} boot.test`]);
    const site = await ConfiguredBalancer.start(serviceOf(daemon, `name: boot.test, port: ${port}`));
    expect(await whoServes(site)).toBe('first');

    await daemon.change([`${second} boot.test`]);
    await site.balancer.said({ event: 'backend.state', backend: second, to: 'added' });
    expect(await whoServes(site)).toBe('second');
  });

  test('follows SRV records, and keeps what it knows while nobody answers', async () => {
    const [one, two, spare] = [server('one'), server('two'), server('spare')];
    const hosts = [`${one.address} one.test`, `${two.address} two.test`, `${spare.address} spare.test`];
    const service = (host: string, { port }: Endpoint, rest: string): string =>
      `--srv-host=${name},${host}.test,${port},${rest}`;
    const daemon = await DnsDaemon.start(hosts, [
      service('one', one, '0,30'),
      service('two', two, '0,10'),
      service('spare', spare, '5,10'),
    ]);
    const site = await ConfiguredBalancer.start(serviceOf(daemon, `name: ${name}`), ['--workers=2']);
    const served = [];
    for (let at = 0; at < 4; at += 1) served.push(await whoServes(site));
    expect(served.toSorted()).toEqual(['one', 'one', 'one', 'two']);

    await daemon.stop();
    await site.balancer.said({ event: 'discovery.failed', source: name });
    expect(['one', 'two']).toContain(await whoServes(site));

    await daemon.restart(hosts, [service('spare', spare, '5,10')]);
    await site.balancer.said({ event: 'backend.state', backend: `spare.test:${spare.port}`, to: 'added' });
    expect(await whoServes(site)).toBe('spare');
  });
});
