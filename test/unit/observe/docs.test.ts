import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  dropReasons,
  failoverReasons,
  ftpDataRefusals,
  ftpRefusals,
  ftpSessionEnds,
  ftpTransferResults,
  probeOutcomes,
  rejectReasons,
  transferResults,
} from '../../../src/observe/events.ts';
import { directions } from '../../../src/observe/hot-metrics.ts';
import { backendStates } from '../../../src/observe/status.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { expectSection, table } from '../../helpers/doc-section.ts';
import { countersOf, still } from './counters.ts';
import { certificateResults, ftpTlsFaults } from '../../../src/observe/ftp-tls-events.ts';
import { userMapResults } from '../../../src/observe/user-map-events.ts';
import { familiesOf } from './scrape.ts';

const text = readFileSync(path.join(import.meta.dirname, '../../../docs/metrics.md'), 'utf8');

/** The values that a section of the docs explains. */
function explained(heading: string): string[] {
  const [, section = ''] = text.split(`\n### ${heading}\n`);
  const [own = ''] = section.split('\n#', 1);
  return [...own.matchAll(/^\| `([^`]+)` /gm)].map(([, value = '']) => value);
}

describe('docs/metrics.md', () => {
  it('has the metrics as they are', async () => {
    const counters = still([countersOf()], [{ service: 'tftp', drops: () => 0 }]);
    const metrics = new Metrics(
      { version: '0', node: '0', engine: 'portable' },
      {
        counters,
        passivePorts: () => [{ service: 'ftp', used: 0, size: 10 }],
        workers: () => [{ index: 0, restarts: 0 }],
      },
    );
    metrics.addService('tftp', 'tftp');
    metrics.addService('ftp', 'ftp');
    metrics.addBackend('tftp', 'a');
    const families = familiesOf((await metrics.render()).text, 'tftplb_');
    const rows = families.map(({ name, type, labels, help }) => [
      `\`${name}\``,
      type,
      labels.join(', '),
      help,
    ]);
    expectSection('metrics.md', 'metrics', table(['metric', 'type', 'labels', 'meaning'], rows));
  });

  it.each<[string, readonly string[]]>([
    ['result', transferResults],
    ['op', ['read', 'write']],
    ['reason of requests_rejected', rejectReasons],
    ['reason of dropped_datagrams', dropReasons],
    ['reason of failovers', failoverReasons],
    ['outcome', probeOutcomes],
    ['state', backendStates],
    ['direction', directions],
    ['result of ftp_transfers', ftpTransferResults],
    ['end', ftpSessionEnds],
    ['reason of ftp_refused_commands', ftpRefusals],
    ['result of ftp_user_maps', userMapResults],
    ['reason of ftp_tls_faults', ftpTlsFaults],
    ['result of ftp_certificates', certificateResults],
    ['reason of ftp_refused_data_connections', ftpDataRefusals],
  ])('explains every value of %s', (heading, values) => {
    expect(explained(heading)).toEqual(values);
  });
});
