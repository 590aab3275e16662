import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { lacksOwnNetwork, resultIn } from '../../../helpers/own-network.ts';
import { strict } from '../../../helpers/peers.ts';
import { isLinuxSkipped } from '../../../helpers/tid-nets.ts';

const scenes = new URL('own-network-scenes.ts', import.meta.url);

const addresses = 'ip addr add fd00::1/128 dev lo && ip addr add fd00::2/128 dev lo';
/** Two cables whose one ends have the same address. */
const cables = [
  addresses,
  ...['a', 'b'].flatMap((cable) => [
    `ip link add ${cable}0 type veth peer name ${cable}1`,
    `ip addr add fe80::1/64 dev ${cable}0 nodad`,
    `ip addr add fe80::2/64 dev ${cable}1 nodad`,
    `ip link set ${cable}0 up`,
    `ip link set ${cable}1 up`,
  ]),
].join(' && ');

const rules = [
  'nft add table ip6 t',
  'nft add chain ip6 t in "{ type filter hook input priority 0; }"',
  'nft add rule ip6 t in ip6 daddr fd00::1 udp dport 69 reject with icmpv6 type admin-prohibited',
].join(' && ');
const lacksFirewall = !strict && !existsSync('/usr/sbin/nft');

describe.skipIf(isLinuxSkipped || lacksOwnNetwork)('the Linux net, on a network of its own,', () => {
  it('keeps IPv6 addresses apart, were they the same on two interfaces', async () => {
    const asked = ['::1', 'fd00::1', 'fd00::2', 'fe80::1%a0', 'fe80::1%b0'];
    const clients = ['::1', 'fd00::2', 'fd00::1', 'fe80::2%a0', 'fe80::2%b0'];
    const seen = ['::1', 'fd00::1', 'fd00::2', 'fe80::1%a1', 'fe80::1%b1'];
    expect(await resultIn(cables, scenes, 'zones')).toEqual({
      servers: asked.map((address, n) => [`to ${address} from ${clients[n]}`]),
      clients: asked.map((address, n) => [`to ${address} from ${seen[n]}`, `own from ${seen[n]}`]),
      errors: [],
    });
  });

  it('makes do with few ports: each is lent for each backend', async () => {
    const few = 'sysctl -q -w net.ipv4.ip_local_port_range="40000 40009"';
    expect(await resultIn(few, scenes, 'ports')).toEqual({
      ports: 10,
      shortage: 'TLB_ERR_NO_PORTS',
      areShared: true,
      vipShortage: 'TLB_ERR_NO_PORTS',
      isLentAgain: true,
      stillShort: 'TLB_ERR_NO_PORTS',
    });
  });

  it('tells a session whose backend has no route that it is refused, and that one alone', async () => {
    const blocked = 'ip route add unreachable 198.51.100.1 && ip route add prohibit 198.51.100.2';
    expect(await resultIn(blocked, scenes, 'routes')).toEqual({
      ports: 1,
      duringTheCall: [0, 0, 0, 0],
      refusals: [3, 3, 0, 0],
      errors: [[], [], Array(3).fill('TLB_ERR_PERMISSION'), []],
      heard: [0, 0, 0, 3],
    });
  });

  it.skipIf(lacksFirewall)('takes what a firewall forbids for no refusal', async () => {
    expect(await resultIn(`${addresses} && ${rules}`, scenes, 'firewall')).toEqual([
      { refusals: 0, errors: [] },
      { refusals: 3, errors: [] },
    ]);
  });
});
