import { Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import type { FtpTransfer } from '../../../src/observe/events.ts';
import { FtpMetrics, type PassivePortUse } from '../../../src/observe/ftp-metrics.ts';

const transfer: FtpTransfer = {
  kind: 'ftp.transfer',
  service: 'ftp',
  client: '192.0.2.7:4000',
  vip: '192.0.2.1:21',
  backend: 'a',
  user: 'erin',
  command: 'STOR',
  path: 'file',
  direction: 'upload',
  type: 'I',
  clientMode: 'passive',
  backendMode: 'passive',
  clientLevel: 'C',
  backendLevel: 'C',
  bytes: 1_000,
  duration: 5,
  result: 'client-reset',
  code: 426,
};

async function scrape(count: (metrics: FtpMetrics) => void, uses: PassivePortUse[] = []): Promise<string[]> {
  const registry = new Registry();
  const metrics = new FtpMetrics(registry, () => uses);
  metrics.addService('ftp');
  count(metrics);
  return (await registry.metrics()).split('\n').filter((line) => /^tftplb_.* [^0]\d*$/.test(line));
}

describe('FtpMetrics', () => {
  it('begins with every series at 0', async () => {
    expect(await scrape(() => {})).toEqual([]);
  });

  it('has nothing left of a service that is gone', async () => {
    const registry = new Registry();
    const metrics = new FtpMetrics(registry, () => []);
    metrics.addService('ftp');
    metrics.count({ kind: 'ftp.certificates.loaded', service: 'ftp', expiresAt: 1_000 });
    metrics.forgetService('ftp');
    expect(await registry.metrics()).not.toContain('service="ftp"');
  });

  it('counts transfers by direction and result, with their bytes', async () => {
    expect(await scrape((metrics) => metrics.count(transfer))).toEqual([
      'tftplb_ftp_transfers_total{service="ftp",direction="upload",result="client-reset"} 1',
      'tftplb_ftp_transferred_bytes_total{service="ftp",direction="upload"} 1000',
    ]);
  });

  it('counts sessions and what was refused', async () => {
    const { service, client, vip, backend } = transfer;
    const whose = { service, client, vip, backend };
    const lines = await scrape((metrics) => {
      metrics.count({ kind: 'ftp.session.start', service });
      metrics.count({ kind: 'ftp.refused', ...whose, reason: 'foreign-address', command: 'PORT' });
      metrics.count({ kind: 'ftp.data-refused', ...whose, leg: 'client', reason: 'foreign-peer' });
    });
    expect(lines).toEqual([
      'tftplb_ftp_sessions_started_total{service="ftp"} 1',
      'tftplb_ftp_refused_commands_total{service="ftp",reason="foreign-address"} 1',
      'tftplb_ftp_refused_data_connections_total{service="ftp",leg="client",reason="foreign-peer"} 1',
    ]);
  });

  it('shows the passive ports, and no size where the system chooses them', async () => {
    const uses = [
      { service: 'ftp', used: 3, size: 100 },
      { service: 'other', used: 1, size: undefined },
    ];
    expect(await scrape(() => {}, uses)).toEqual([
      'tftplb_ftp_passive_ports_used{service="ftp"} 3',
      'tftplb_ftp_passive_ports_used{service="other"} 1',
      'tftplb_ftp_passive_ports{service="ftp"} 100',
    ]);
  });
});
