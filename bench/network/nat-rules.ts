import type { Endpoint } from '../../src/net/net.ts';

/**
 * Rules for nft(8): requests to `service` go to the servers in turn. Connection tracking's helper for TFTP lets the
 * answers, from the servers' other ports, find back to the clients.
 */
export function natRules({ address, port }: Endpoint, servers: readonly string[]): string {
  const elements = servers.map((server, at) => `${at} : ${server}`).join(', ');
  return `table ip bench {
  ct helper tftp { type "tftp" protocol udp; l3proto ip; }
  chain helpers {
    type filter hook prerouting priority mangle;
    ip daddr ${address} udp dport ${port} ct helper set "tftp"
  }
  chain balancer {
    type nat hook prerouting priority dstnat;
    ip daddr ${address} udp dport ${port} dnat to numgen inc mod ${servers.length} map { ${elements} }
  }
}
`;
}
