import { describe, expect, it } from 'vitest';
import {
  dropReasons,
  type Event,
  failoverReasons,
  probeOutcomes,
  rejectReasons,
  transferResults,
} from '../../../src/observe/events.ts';
import type { HotCounters } from '../../../src/observe/hot-metrics.ts';
import { backendStates } from '../../../src/observe/status.ts';
import type { WorkerUse } from '../../../src/observe/worker-metrics.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { countersOf, still } from './counters.ts';
import { ended, rejected, stateChanged } from './events.ts';
import { familiesOf, samplesOf } from './scrape.ts';

const build = { version: '1.2.3', node: '24.0.0', engine: 'portable' };

function scene(counters: HotCounters = still([]), workers: readonly WorkerUse[] = []) {
  const metrics = new Metrics(build, { counters, passivePorts: () => [], workers: () => workers });
  metrics.addService('tftp', 'tftp');
  metrics.addBackend('tftp', 'a');
  const samples = async (): Promise<Map<string, number>> => samplesOf((await metrics.render()).text);
  const after = async (...events: Event[]): Promise<Map<string, number>> => {
    for (const event of events) metrics.count(event);
    return samples();
  };
  return { metrics, samples, after };
}

const up = (listener: string): Event => ({ kind: 'listener.up', service: 'tftp', listener });
const down = (listener: string): Event => ({ kind: 'listener.down', service: 'tftp', listener });

describe('what is counted by events', () => {
  it('is there at 0 before anything has happened, for every value of a closed set', async () => {
    const samples = await scene().samples();
    const expected = [
      ...transferResults.map(
        (result) => `tftplb_sessions_ended_total{service="tftp",backend="a",result="${result}"}`,
      ),
      ...rejectReasons.map((reason) => `tftplb_requests_rejected_total{service="tftp",reason="${reason}"}`),
      ...failoverReasons.map(
        (reason) => `tftplb_failovers_total{service="tftp",backend="a",reason="${reason}"}`,
      ),
      ...probeOutcomes.map(
        (outcome) => `tftplb_health_checks_total{service="tftp",backend="a",outcome="${outcome}"}`,
      ),
      'tftplb_sessions_started_total{service="tftp",op="read"}',
      'tftplb_sessions_started_total{service="tftp",op="write"}',
      'tftplb_session_duration_seconds_count{service="tftp",op="write"}',
      'tftplb_sessions_resumed_total{service="tftp"}',
      'tftplb_repeated_datagrams_total{service="tftp"}',
      'tftplb_ejections_total{service="tftp",backend="a"}',
      'tftplb_health_doubted_total{service="tftp"}',
      'tftplb_discovery_failures_total{service="tftp"}',
      'tftplb_listeners{service="tftp"}',
      'tftplb_sessions_lost_total{service="tftp"}',
    ];
    expect(expected.filter((series) => samples.get(series) !== 0)).toEqual([]);
  });

  it('counts sessions from their start to their end', async () => {
    const samples = await scene().after(
      { kind: 'session.start', service: 'tftp', op: 'write' },
      ended({ op: 'write', result: 'timeout', duration: 2000, repeats: 3 }),
      { kind: 'session.resume', service: 'tftp', client: '192.0.2.50:2070', file: 'x' },
    );
    expect(samples.get('tftplb_sessions_started_total{service="tftp",op="write"}')).toBe(1);
    expect(samples.get('tftplb_sessions_ended_total{service="tftp",backend="a",result="timeout"}')).toBe(1);
    expect(samples.get('tftplb_sessions_resumed_total{service="tftp"}')).toBe(1);
    expect(samples.get('tftplb_repeated_datagrams_total{service="tftp"}')).toBe(3);
    expect(samples.get('tftplb_session_duration_seconds_sum{service="tftp",op="write"}')).toBe(2);
    expect(samples.get('tftplb_session_duration_seconds_bucket{le="1",service="tftp",op="write"}')).toBe(0);
    expect(samples.get('tftplb_session_duration_seconds_bucket{le="2.5",service="tftp",op="write"}')).toBe(1);
  });

  it('counts the sessions that are lost with their workers', async () => {
    const down = { kind: 'worker.down', worker: 0, error: 'e', stack: '', retry: 100 } as const;
    const samples = await scene().after(
      { ...down, lost: { tftp: 3 } },
      { ...down, worker: 1, lost: { tftp: 4 }, retry: undefined },
      { kind: 'worker.up', worker: 0, restarts: 1 },
    );
    expect(samples.get('tftplb_sessions_lost_total{service="tftp"}')).toBe(7);
  });

  it('counts refusals, failovers, checks and doubts', async () => {
    const samples = await scene().after(
      rejected({ reason: 'read-only' }),
      { kind: 'session.failover', service: 'tftp', client: 'c', from: 'a', to: 'b', reason: 'refused' },
      { kind: 'health.check', service: 'tftp', backend: 'a', outcome: 'timeout', duration: 2000 },
      { kind: 'health.doubted', service: 'tftp' },
      { kind: 'discovery.failed', service: 'tftp', source: 'a.example', error: 'no such host' },
    );
    expect(samples.get('tftplb_requests_rejected_total{service="tftp",reason="read-only"}')).toBe(1);
    expect(samples.get('tftplb_failovers_total{service="tftp",backend="a",reason="refused"}')).toBe(1);
    expect(samples.get('tftplb_health_checks_total{service="tftp",backend="a",outcome="timeout"}')).toBe(1);
    expect(samples.get('tftplb_health_doubted_total{service="tftp"}')).toBe(1);
    expect(samples.get('tftplb_discovery_failures_total{service="tftp"}')).toBe(1);
  });

  it('counts an ejection once, however often it is prolonged', async () => {
    const samples = await scene().after(
      { kind: 'backend.suspect', service: 'tftp', backend: 'a', index: 0, reason: 'refused' },
      stateChanged('ejected'),
      { kind: 'backend.suspect', service: 'tftp', backend: 'a', index: 0, reason: 'refused' },
      stateChanged('readmitted'),
      stateChanged('down'),
    );
    expect(samples.get('tftplb_ejections_total{service="tftp",backend="a"}')).toBe(1);
  });

  it('counts listeners that are up, whatever is said twice', async () => {
    const { after } = scene();
    const listeners = 'tftplb_listeners{service="tftp"}';
    expect((await after(down('192.0.2.1:69'), up('192.0.2.1:69'), up('192.0.2.2:69'))).get(listeners)).toBe(
      2,
    );
    expect((await after(down('192.0.2.1:69'), down('192.0.2.1:69'))).get(listeners)).toBe(1);
  });
});

describe('the series of a backend', () => {
  it('go when it goes, and do not come back by a late event', async () => {
    const { metrics, samples, after } = scene();
    metrics.addBackend('tftp', 'b');
    await after(ended(), stateChanged('ejected'), ended({ backend: 'b' }));
    metrics.forget('tftp', 'a');
    const left = await after(ended(), stateChanged('ejected'));
    expect([...left.keys()].filter((series) => series.includes('backend="a"'))).toEqual([]);
    expect(left.get('tftplb_sessions_ended_total{service="tftp",backend="b",result="ok"}')).toBe(1);
    metrics.addBackend('tftp', 'a');
    expect((await samples()).get('tftplb_sessions_ended_total{service="tftp",backend="a",result="ok"}')).toBe(
      0,
    );
  });

  it('do not come from a backend that nobody has added', async () => {
    const samples = await scene().after(ended({ backend: 'x' }));
    expect([...samples.keys()].filter((series) => series.includes('"x"'))).toEqual([]);
  });
});

describe('what is counted for every datagram', () => {
  it('is read at each scrape', async () => {
    const backends = [
      countersOf({
        active: 3,
        weight: 4,
        isUp: false,
        isEjected: true,
        traffic: { 'to-client': { datagrams: 10, bytes: 5000 }, 'to-backend': { datagrams: 9, bytes: 36 } },
      }),
      countersOf({ backend: 'b', isEnabled: false }),
    ];
    const service = { service: 'tftp', drops: (reason: string) => (reason === 'malformed' ? 7 : 0) };
    const { samples } = scene(still(backends, [service]));
    for (const scrape of [await samples(), await samples()]) {
      expect(scrape.get('tftplb_bytes_total{service="tftp",backend="a",direction="to-client"}')).toBe(5000);
      expect(scrape.get('tftplb_datagrams_total{service="tftp",backend="a",direction="to-backend"}')).toBe(9);
      expect(scrape.get('tftplb_dropped_datagrams_total{service="tftp",reason="malformed"}')).toBe(7);
      expect(scrape.get('tftplb_sessions_active{service="tftp",backend="a"}')).toBe(3);
      expect(scrape.get('tftplb_backend_weight{service="tftp",backend="a"}')).toBe(4);
      expect(scrape.get('tftplb_backend_up{service="tftp",backend="a"}')).toBe(0);
      expect(scrape.get('tftplb_backend_up{service="tftp",backend="b"}')).toBe(1);
      expect(scrape.get('tftplb_backend_ejected{service="tftp",backend="a"}')).toBe(1);
      expect(scrape.get('tftplb_backend_enabled{service="tftp",backend="b"}')).toBe(0);
    }
  });

  it('has one state for each backend', async () => {
    const { samples } = scene(still([countersOf({ state: 'draining' }), countersOf({ backend: 'b' })]));
    const states = async (backend: string): Promise<string[]> => {
      const found = [...(await samples())].filter(([series]) =>
        series.startsWith(`tftplb_backend_state{service="tftp",backend="${backend}"`),
      );
      expect(found).toHaveLength(backendStates.length);
      return found.flatMap(([series, value]) =>
        value === 1 ? [/state="(\w+)"/.exec(series)?.[1] ?? ''] : [],
      );
    };
    expect([await states('a'), await states('b')]).toEqual([['draining'], ['up']]);
  });

  it('has a series for every reason to drop, and none for a backend that has gone', async () => {
    const backends = [countersOf()];
    const { samples } = scene(still(backends, [{ service: 'tftp', drops: () => 0 }]));
    const reasons = dropReasons.map(
      (reason) => `tftplb_dropped_datagrams_total{service="tftp",reason="${reason}"}`,
    );
    const before = await samples();
    expect(reasons.filter((series) => !before.has(series))).toEqual([]);
    expect(before.has('tftplb_backend_up{service="tftp",backend="a"}')).toBe(true);
    backends.pop();
    expect((await samples()).has('tftplb_backend_up{service="tftp",backend="a"}')).toBe(false);
  });
});

describe('a scrape', () => {
  it('tells what runs, and how the process is', async () => {
    const { metrics, samples } = scene();
    const series = await samples();
    expect(series.get('tftplb_build_info{version="1.2.3",node="24.0.0",engine="portable"}')).toBe(1);
    expect(series.get('process_resident_memory_bytes')).toBeGreaterThan(0);
    expect((await metrics.render()).type).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('names its counters as Prometheus wants them', async () => {
    const { metrics } = scene(still([countersOf()], [{ service: 'tftp', drops: () => 0 }]));
    const families = familiesOf((await metrics.render()).text, 'tftplb_');
    expect(families.length).toBeGreaterThan(15);
    for (const { name, type } of families) expect(name.endsWith('_total'), name).toBe(type === 'counter');
  });

  it('is of one balancer alone', async () => {
    await scene().after(ended());
    const other = await scene().samples();
    expect(other.get('tftplb_sessions_ended_total{service="tftp",backend="a",result="ok"}')).toBe(0);
  });
});

it('shows how often each worker was started again, from the start on', async () => {
  const workers = [
    { index: 0, restarts: 0 },
    { index: 1, restarts: 5 },
  ];
  const samples = await scene(undefined, workers).samples();
  expect(samples.get('tftplb_worker_restarts_total{worker="0"}')).toBe(0);
  expect(samples.get('tftplb_worker_restarts_total{worker="1"}')).toBe(5);
});
