/** FTP connections that are refused by rule, and clients that stay with their backend. */
import { describe, expect, it } from 'vitest';
import { createAffinityTable } from '../../../src/engine/affinity-table.ts';
import { createRateTable } from '../../../src/engine/rate-table.ts';
import type { SharedRate } from '../../../src/engine/snapshot.ts';
import { type FtpLab, useFtpLab } from '../../helpers/ftp-lab.ts';

const start = useFtpLab();

/** Connects from a host of its own. Returns the first line that it gets, and whether that was all. */
async function greeting(lab: FtpLab, host = lab.clientHost()): Promise<string> {
  const client = await lab.client(host);
  const line = await client.line();
  if (line.startsWith('421')) await client.until('the end', () => client.ear.events.includes('end'));
  return line;
}

function rate(burst: number): SharedRate {
  return { perSecond: 0.1, burst, table: createRateTable(0.5) };
}

describe('a connection that is refused', () => {
  it.each([
    [
      'denied-address',
      { access: { allow: [], deny: [{ address: '10.2.0.1', prefix: 32 }] } },
      '421 Service not available to your address.',
    ],
    [
      'denied-address',
      { access: { allow: [{ address: '10.2.0.2', prefix: 31 }], deny: [] } },
      '421 Service not available to your address.',
    ],
  ] as const)('%s: 421 and the end, and its neighbour is greeted', async (reason, service, line) => {
    const { lab, servers } = await start({ service });
    expect(await greeting(lab)).toBe(line);
    expect(await greeting(lab)).toMatch(/^220 /);
    expect(lab.of('session.reject')).toMatchObject([{ reason, service: 'ftp' }]);
    expect(servers.flatMap(({ sessions }) => sessions)).toHaveLength(1);
  });

  it('comes too often, alone or with its neighbours', async () => {
    const rates = { perClient: rate(1), perPrefix: { ...rate(2), ipv4: 24, ipv6: 64 } };
    const { lab } = await start({ service: { rates } });
    const [one, two, three] = [lab.clientHost(), lab.clientHost(), lab.clientHost()];
    expect(await greeting(lab, one)).toMatch(/^220 /);
    const tooOften = '421 Too many connections in a short time, try again later.';
    expect(await greeting(lab, one)).toBe(tooOften);
    expect(await greeting(lab, two)).toMatch(/^220 /);
    expect(await greeting(lab, three)).toBe(tooOften);
    expect(lab.of('session.reject').map(({ reason }) => reason)).toEqual([
      'rate-per-client',
      'rate-per-prefix',
    ]);
  });
});

describe('affinity', () => {
  it('sends a client where it was, and forgets', async () => {
    const affinity = { duration: 5_000, key: 1, table: createAffinityTable(0.5) };
    const { lab } = await start({ service: { affinity } });
    const host = lab.clientHost();
    const visit = async (): Promise<string> => {
      const client = await lab.client(host);
      const line = await client.line();
      await client.ask('QUIT');
      await lab.pass(50);
      return line;
    };
    const first = await visit();
    expect(await visit()).toBe(first);
    await lab.pass(4_000);
    expect(await visit()).toBe(first);
    await lab.pass(6_000);
    expect(await visit()).not.toBe(first);
  });
});
