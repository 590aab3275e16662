/** What a file says of access, rates, affinity and routes. */
import { afterAll, describe, expect, it } from 'vitest';
import { removeFolders } from '../../helpers/folders.ts';
import { configOf, faultsOf, loadFile, pxe } from './scene.ts';

afterAll(removeFolders);

describe('traffic rules in a file', () => {
  it('are read into what engines are told', () => {
    const [service] = configOf(
      loadFile(`${pxe}    access:
      allow: [10.0.0.0/8, "2001:db8::/32", 192.0.2.7]
      deny: [10.1.0.0/16]
      deny-files: ["**/.*", "secret/**"]
      answer: silent
    limits: { answer: silent }
    rates: { per-client: "10/s,20", per-prefix: 30/m, prefix-ipv4: 16 }
    affinity: { duration: 10m, group: boot }
    routes:
      - { op: write, backends: [192.0.2.11] }
      - { files: ["hosts/**"], rewrite: "cfg/{client_ip}/{name}" }
`),
    ).services;
    expect(service).toMatchObject({
      access: {
        allow: [
          { address: '10.0.0.0', prefix: 8 },
          { address: '2001:db8::', prefix: 32 },
          { address: '192.0.2.7', prefix: 32 },
        ],
        deny: [{ address: '10.1.0.0', prefix: 16 }],
        files: { allow: [], deny: ['**/.*', 'secret/**'] },
        answer: 'silent',
      },
      limits: { answer: 'silent' },
      rates: {
        perClient: { perSecond: 10, burst: 20 },
        perPrefix: { perSecond: 0.5, burst: 30, ipv4: 16, ipv6: 64 },
      },
      affinity: { duration: 600_000, group: 'boot' },
      routes: [
        { op: 'write', backends: ['192.0.2.11'] },
        { files: ['hosts/**'], rewrite: 'cfg/{client_ip}/{name}' },
      ],
    });
  });

  it.each([
    [
      'access: { allow: [10.0.0.0/33] }',
      'access.allow[0] "10.0.0.0/33": expected ADDR/BITS such as 10.0.0.0/8, or an address',
    ],
    ['access: { deny: ["fe80::1%eth0/64"] }', 'access.deny[0] "fe80::1%eth0/64": expected ADDR/BITS'],
    ['rates: { per-client: fast }', 'rates.per-client "fast": expected N/s[,BURST]'],
    ['rates: { per-client: 0/s }', 'rates.per-client "0/s": expected N/s[,BURST]'],
    ['access: { deny-files: [""] }', 'access.deny-files[0] "": expected a pattern of file names'],
    ['routes: [{ rewrite: "a/../{name}" }]', 'routes[0].rewrite "a/../{name}": expected a file name'],
    ['routes: [{ rewrite: "{user}" }]', 'routes[0].rewrite "{user}": expected a file name'],
    ['routes: [{ op: delete }]', 'routes[0].op "delete": expected one of read, write'],
    ['affinity: { duration: 8h, groups: x }', 'affinity.groups "x": unknown key; did you mean group?'],
  ])('%s is refused', (text, expected) => {
    expect(faultsOf(loadFile(`${pxe}    ${text}\n`))).toEqual([expect.stringContaining(expected)]);
  });
});
