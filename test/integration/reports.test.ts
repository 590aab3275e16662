/** What the balancer tells of itself while it runs: readiness, status, metrics and the log, as the docs have them. */
import { afterAll, describe, expect, test } from 'vitest';
import { formatEndpoint } from '../../src/net/net.ts';
import { encodeAck, encodeError, encodeRequest, ErrorCode, Opcode } from '../../src/tftp/packet.ts';
import { startBalancer, type Line } from '../helpers/balancer.ts';
import { fetchFile, nobody, startEmbedded, storeFile } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';
import { textOf } from './documents.ts';

const image = noise(5_120);
const checked = ['--health-interval=100ms', '--health-timeout=100ms', '--health-fall=1', '--health-rise=1'];

afterAll(stopAll);

const { version } = JSON.parse(textOf('package.json')) as { version: string };

/** The line of the log that the README shows. */
function shownLine(): Line {
  const [, json = ''] = /```json\n(\{.*?\n\})\n```/s.exec(textOf('README.md')) ?? [];
  return JSON.parse(json) as Line;
}

describe('/readyz', () => {
  test('is 503 until every server was checked once', async () => {
    const server = await UdpPeer.open();
    const balancer = await startBalancer([server], {
      flags: ['--health-timeout=1m', '--health-interval=1h'],
    });
    const { from } = await server.next();
    const before = await balancer.admin('/readyz');
    const reasons = ['the first round of health checks is not over'];
    expect(before.status).toBe(503);
    expect(await before.json()).toEqual({
      ready: false,
      reasons: [`tftp: ${reasons[0]}`],
      services: [{ service: 'tftp', ready: false, reasons }],
    });

    server.send(encodeError(ErrorCode.fileNotFound, 'no such file'), from);
    const after = await until('it is ready', async () => {
      const answer = await balancer.admin('/readyz');
      return answer.ok ? answer : undefined;
    });
    expect(await after.json()).toEqual({
      ready: true,
      reasons: [],
      services: [{ service: 'tftp', ready: true, reasons: [] }],
    });
  });

  test('is 503 while all servers are down, though requests are tried all the same', async () => {
    const server = await UdpPeer.open();
    const balancer = await startBalancer([server, nobody], { flags: checked });
    await balancer.said({ event: 'backend.state', backend: 'b0', to: 'down' });
    await balancer.said({ event: 'backend.state', backend: 'b1', to: 'down', reason: 'refused' });
    const answer = await balancer.admin('/readyz');
    expect([answer.status, await answer.json()]).toMatchObject([
      503,
      { ready: false, reasons: ['tftp: all 2 backends are down or disabled'] },
    ]);
    expect(await balancer.metric('tftplb_backend_up')).toBe(0);

    const client = await UdpPeer.open();
    client.send(encodeRequest(Opcode.rrq, 'doubtful', 'octet'), balancer.listener);
    await balancer.said({ event: 'health.doubted' });
    await until('it is asked', () => server.received.find(({ data }) => data.includes('doubtful')));
    expect(await balancer.metric('tftplb_health_doubted_total')).toBeGreaterThan(0);
  });
});

test('/status shows workers, services, listeners and backends with what they did', async () => {
  const [first, second] = [startEmbedded({ image }), startEmbedded({ image })];
  const balancer = await startBalancer([first, second], {
    vips: ['127.0.0.1', '127.0.0.2'],
    flags: ['--workers=2'],
  });
  await fetchFile(balancer.listener, 'image', { blksize: 1024 });
  await balancer.ended(1);
  await HeldDownload.begin(balancer.listener, 'image');
  const weights = { weight: 1, configuredWeight: 1, effectiveWeight: 1 };
  const flags = { state: 'up', operator: 'enabled', up: true, enabled: true, ejected: false };
  const common = { address: first.address, ...weights, ...flags };
  expect(await balancer.status()).toEqual({
    version,
    engine: { name: expect.any(String), reason: expect.any(String) },
    uptime: expect.any(Number),
    draining: false,
    workers: [
      { index: 0, kind: expect.any(String), state: 'serving', restarts: 0 },
      { index: 1, kind: expect.any(String), state: 'serving', restarts: 0 },
    ],
    services: [
      {
        name: 'tftp',
        kind: 'tftp',
        sessions: 1,
        listeners: balancer.listeners.map(({ address, port }) => formatEndpoint(address, port)),
        backends: [
          {
            ...common,
            name: 'b0',
            port: first.port,
            sessions: 0,
            // The OACK, five blocks and an empty one; seven ACKs.
            bytesToClient: 2 + 'blksize\u00001024\0'.length + 6 * 4 + image.length,
            bytesToBackend: 7 * 4,
            datagramsToClient: 7,
            datagramsToBackend: 7,
          },
          {
            ...common,
            name: 'b1',
            port: second.port,
            sessions: 1,
            bytesToClient: 516,
            bytesToBackend: 0,
            datagramsToClient: 1,
            datagramsToBackend: 0,
          },
        ],
      },
    ],
  });
});

describe('the log', () => {
  test('has the line of a transfer as the README shows it', async () => {
    const server = startEmbedded({ 'boot/menu.cfg': image });
    const balancer = await startBalancer([server]);
    const shown = shownLine();
    await fetchFile(balancer.listener, 'boot/menu.cfg', { tsize: 0, blksize: 1428 });
    await balancer.ended(1);
    const line = await balancer.said({ event: 'session.end' });
    const { address, port } = balancer.listener;
    expect(line).toEqual({
      ...shown,
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      vip: formatEndpoint(address, port),
      backend: 'b0',
      duration: expect.any(Number),
    });
    expect(Object.keys(line)).toEqual(Object.keys(shown));
    // Tenths of milliseconds are the finest that is ever written.
    expect(String(shown['duration'])).toMatch(/^\d+(\.\d)?$/);
  });

  test('tells of an upload, of a missing file, of a client that gave up, and of what was refused', async () => {
    const server = startEmbedded({ image });
    const balancer = await startBalancer([server], { flags: ['--log-level=info'] });
    const { listener } = balancer;
    await storeFile(listener, 'new', image);
    await fetchFile(listener, 'missing').catch(() => undefined);
    await fetchFile(listener, 'a/../../etc/passwd').catch(() => undefined);
    const client = await UdpPeer.open();
    client.send(encodeRequest(Opcode.rrq, 'image', 'octet', { tsize: '0' }), listener);
    client.send(encodeError(ErrorCode.optionRefused, 'thank you'), (await client.next()).from);

    expect(await balancer.ended(3)).toMatchObject([
      { op: 'write', file: 'new', result: 'ok', bytes: image.length, blocks: 11, level: 'info' },
      {
        op: 'read',
        file: 'missing',
        result: 'not-found',
        error: { from: 'backend', code: 1, message: 'no such file' },
        level: 'info',
      },
      {
        file: 'image',
        asked: { tsize: '0' },
        granted: { tsize: String(image.length) },
        result: 'client-abort',
        error: { from: 'client', code: 8, message: 'thank you' },
        level: 'info',
      },
    ]);
    const refused = await balancer.said({ event: 'session.reject' });
    expect(refused).toMatchObject({
      reason: 'forbidden-name',
      file: 'a/../../etc/passwd',
      msg: 'request refused',
    });
    expect(server.requests.map(({ file }) => file)).toEqual(['new', 'missing', 'image']);
  });

  test('has fields for each kind of line that docs/metrics.md names', async () => {
    const docs = textOf('docs/metrics.md');
    const [, fields = ''] = /- `backend\.state`: (.*)\./.exec(docs) ?? [];
    const balancer = await startBalancer([nobody], { flags: checked });
    const line = await balancer.said({ event: 'backend.state', to: 'down' });
    const common = ['level', 'time', 'event', 'service', 'msg'];
    expect(Object.keys(line).filter((field) => !common.includes(field))).toEqual(fields.split(', '));
    for (const event of balancer.lines().flatMap(({ event = [] }) => event))
      expect(docs).toContain(`\`${event}\``);
  });
});

test('metrics move with what happens', async () => {
  const server = startEmbedded({ image });
  const balancer = await startBalancer([server, nobody]);
  const { listener } = balancer;
  const value = (name: string, labels: Record<string, string> = {}): Promise<number> =>
    balancer.metric(`tftplb_${name}`, labels);
  expect(await value('build_info')).toBe(1);
  expect(await value('listeners')).toBe(1);
  expect(await value('sessions_started_total')).toBe(0);

  for (let at = 0; at < 2; at += 1) await fetchFile(listener, 'image');
  await storeFile(listener, 'new', image);
  await HeldDownload.begin(listener, 'image');
  const stray = await UdpPeer.open();
  stray.send(encodeAck(1), listener);
  await stray.next();
  await balancer.ended(3);

  expect(await value('sessions_started_total', { op: 'read' })).toBe(3);
  expect(await value('sessions_started_total', { op: 'write' })).toBe(1);
  expect(await value('sessions_ended_total', { backend: 'b0', result: 'ok' })).toBe(3);
  expect(await value('sessions_ended_total')).toBe(3);
  expect(await value('sessions_active', { backend: 'b0' })).toBe(1);
  expect(await value('failovers_total', { backend: 'b1', reason: 'refused' })).toBe(1);
  expect(await value('ejections_total', { backend: 'b1' })).toBe(1);
  expect(await value('backend_ejected', { backend: 'b1' })).toBe(1);
  expect(await value('dropped_datagrams_total', { reason: 'unknown-session' })).toBe(1);
  expect(await value('session_duration_seconds_count', { op: 'read' })).toBe(2);
  expect(await value('bytes_total', { direction: 'to-client' })).toBeGreaterThan(2 * image.length);
  expect(await value('bytes_total', { direction: 'to-backend' })).toBeGreaterThan(image.length);
});
