import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/net/memory-clock.ts';
import { Bus } from '../../../src/observe/bus.ts';
import { type Event, ftpSessionEnds, rejectReasons, transferResults } from '../../../src/observe/events.ts';
import { createLogger } from '../../../src/observe/log.ts';
import { logEvents } from '../../../src/observe/log-events.ts';
import { ended, rejected, sessionEnded, stateChanged } from './events.ts';

type Line = Readonly<Record<string, unknown>>;

function scene(level: Parameters<typeof createLogger>[0] = 'info') {
  const texts: string[] = [];
  const clock = new VirtualClock();
  const bus = new Bus((error) => {
    throw error;
  });
  const stop = logEvents(bus, createLogger(level, { write: (text) => texts.push(text) }), clock);
  const lines = (): Line[] => texts.map((text) => JSON.parse(text) as Line);
  return { bus, clock, stop, texts, lines };
}

function linesOf(event: Event, level: Parameters<typeof createLogger>[0] = 'info'): Line[] {
  const { bus, lines } = scene(level);
  bus.emit(event);
  return lines();
}

describe('the line of certificates', () => {
  const loaded = { kind: 'ftp.certificates.loaded', service: 'ftp', expiresAt: 0 } as const;

  it('tells when they expire', () => {
    const [line] = linesOf(loaded);
    expect(line).toMatchObject({ level: 'info', expires: '1970-01-01T00:00:00.000Z' });
    expect(line).not.toHaveProperty('doubts');
  });

  it('is a warning where something about them is odd', () => {
    const doubts = ['a.pem has expired'];
    expect(linesOf({ ...loaded, doubts })).toMatchObject([{ level: 'warn', doubts }]);
  });
});

describe('the line of a transfer', () => {
  it('has all of its fields', () => {
    const [line] = linesOf(ended());
    expect(line).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      msg: 'transfer ended',
      event: 'session.end',
      service: 'tftp',
      client: '192.0.2.50:2070',
      vip: '192.0.2.1:69',
      backend: 'a',
      op: 'read',
      file: 'pxelinux.0',
      mode: 'octet',
      asked: { blksize: '1428' },
      granted: { blksize: '1428' },
      bytes: 26_579,
      blocks: 19,
      repeats: 0,
      tries: 1,
      duration: 12.3,
      result: 'ok',
    });
  });

  it('is a warning where the client did not get what it came for', () => {
    const warnings = transferResults.filter((result) => linesOf(ended({ result }))[0]?.['level'] === 'warn');
    expect(warnings).toEqual(['error', 'timeout', 'no-backend']);
  });

  it('tells the error that ended it', () => {
    const error = { from: 'backend', code: 3, message: 'disk\nfull' } as const;
    expect(linesOf(ended({ result: 'error', error }))).toEqual([
      expect.objectContaining({ error: { from: 'backend', code: 3, message: 'disk\\x0afull' } }),
    ]);
  });

  it('escapes and bounds what came from the wire', () => {
    const options = { 'bad\x07': 'v\xff' };
    const [line] = linesOf(
      ended({ file: `\x1b${'x'.repeat(1000)}`, mode: 'octet\r', asked: options, granted: options }),
    );
    expect(line).toMatchObject({
      file: `\\x1b${'x'.repeat(255)}... (745 bytes more)`,
      mode: 'octet\\x0d',
      asked: { 'bad\\x07': 'v\\xff' },
      granted: { 'bad\\x07': 'v\\xff' },
    });
  });

  it('ends with a line feed and has no other', () => {
    const { bus, texts } = scene();
    bus.emit(ended({ file: 'a\nb' }));
    expect(texts).toEqual([expect.stringMatching(/^[^\n]+\n$/)]);
  });
});

describe('the line of an FTP session', () => {
  it('is a warning where nobody served it, and an error where the fault is ours', () => {
    const levels = ftpSessionEnds.map((end) => {
      const [line] = linesOf(sessionEnded({ end }));
      return [end, line?.['level']];
    });
    expect(levels.filter(([, level]) => level !== 'info')).toEqual([
      ['no-backend', 'warn'],
      ['no-resources', 'warn'],
      ['fault', 'error'],
    ]);
  });
});

describe('refused requests', () => {
  it('are warnings where there was not enough of something', () => {
    const warnings = rejectReasons.filter((reason) => linesOf(rejected({ reason }))[0]?.['level'] === 'warn');
    expect(warnings).toEqual([
      'rate-per-client',
      'rate-per-prefix',
      'max-sessions',
      'max-sessions-per-client',
      'no-backend',
      'no-resources',
    ]);
  });

  it('name the file, escaped, where there is one', () => {
    expect(linesOf(rejected({ reason: 'read-only', file: 'a\0' }))).toEqual([
      expect.objectContaining({ event: 'session.reject', reason: 'read-only', file: 'a\\x00' }),
    ]);
    expect(linesOf(rejected())[0]).not.toHaveProperty('file');
  });

  it('do not flood the log: what is left out is counted by reason', () => {
    const { bus, clock, lines } = scene();
    for (let count = 0; count < 500; count += 1) bus.emit(rejected());
    for (let count = 0; count < 3; count += 1) bus.emit(rejected({ reason: 'draining' }));
    expect(lines()).toHaveLength(13);
    clock.advance(10_000);
    expect(lines().slice(13)).toEqual([
      expect.objectContaining({
        level: 'warn',
        event: 'log.suppressed',
        topic: 'malformed',
        suppressed: 490,
      }),
    ]);
  });

  it('are counted to the end', () => {
    const { bus, clock, stop, lines } = scene();
    for (let count = 0; count < 11; count += 1) bus.emit(rejected());
    stop();
    bus.emit(ended());
    expect(lines()).toHaveLength(11);
    expect(lines().at(-1)).toMatchObject({ topic: 'malformed', suppressed: 1 });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a change of a backend', () => {
  it('is one line, and a warning where a backend is lost', () => {
    const levels = (['up', 'down', 'ejected', 'readmitted', 'added', 'removed'] as const).map((to) => {
      const [line, ...others] = linesOf(stateChanged(to));
      expect(others).toEqual([]);
      return [line?.['to'], line?.['level']];
    });
    expect(levels).toEqual([
      ['up', 'info'],
      ['down', 'warn'],
      ['ejected', 'warn'],
      ['readmitted', 'info'],
      ['added', 'info'],
      ['removed', 'info'],
    ]);
  });

  it('tells who wanted it, where somebody did', () => {
    const by = 'al\u001bice, admin socket';
    const [order] = linesOf({ ...stateChanged('draining'), reason: 'operator', by });
    expect(order).toMatchObject({ to: 'draining', by: String.raw`al\x1bice, admin socket`, level: 'info' });
    expect(linesOf(stateChanged('drained'))[0]).not.toHaveProperty('by');
    const weight = { service: 'tftp', backend: 'a', address: '192.0.2.11', from: 1, to: 5, by: 'alice' };
    expect(linesOf({ kind: 'backend.weight', ...weight })).toEqual([
      expect.objectContaining({ event: 'backend.weight', level: 'info', ...weight }),
    ]);
  });
});

describe('what a health check says', () => {
  it('is for those who look for faults, and escaped', () => {
    const said: Event = { kind: 'health.output', service: 'tftp', backend: 'a', line: 'no\u0007 answer' };
    expect(linesOf(said)).toEqual([]);
    expect(linesOf(said, 'debug')).toMatchObject([{ level: 'debug', line: String.raw`no\x07 answer` }]);
  });
});

const quiet: Event[] = [
  { kind: 'session.start', service: 'tftp', op: 'read' },
  { kind: 'session.resume', service: 'tftp', client: '192.0.2.50:2070', file: 'a\n' },
  {
    kind: 'session.failover',
    service: 'tftp',
    client: '192.0.2.50:2070',
    from: 'a',
    to: 'b',
    reason: 'silent',
  },
  { kind: 'backend.suspect', service: 'tftp', backend: 'a', index: 0, reason: 'refused' },
  { kind: 'health.check', service: 'tftp', backend: 'a', outcome: 'alive', duration: 1 },
  { kind: 'health.check', service: 'tftp', backend: 'a', outcome: 'timeout', duration: 2000 },
];

describe('what happens again and again', () => {
  it.each(quiet)('is for those who ask for it: $kind', (event) => {
    expect(linesOf(event, 'info')).toEqual([]);
    expect(linesOf(event, 'trace')).toEqual([
      expect.objectContaining({ event: event.kind, service: 'tftp' }),
    ]);
  });

  it('shows a check that failed before one that did not', () => {
    const shown = quiet.filter((event) => linesOf(event, 'debug').length === 1);
    expect(shown).toContainEqual(expect.objectContaining({ outcome: 'timeout' }));
    expect(shown).not.toContainEqual(expect.objectContaining({ outcome: 'alive' }));
  });
});

describe('the rest', () => {
  it.each<[Event, string]>([
    [{ kind: 'listener.up', service: 'tftp', listener: '192.0.2.1:69' }, 'info'],
    [{ kind: 'listener.down', service: 'tftp', listener: '192.0.2.1:69' }, 'info'],
    [{ kind: 'listener.down', service: 'tftp', listener: '192.0.2.1:69', error: 'gone' }, 'warn'],
    [{ kind: 'discovery.failed', service: 'tftp', source: 'a.example', error: 'no such host' }, 'warn'],
    [{ kind: 'health.doubted', service: 'tftp' }, 'warn'],
    [{ kind: 'worker.up', worker: 1, restarts: 2 }, 'info'],
    [
      { kind: 'worker.down', worker: 1, error: 'Error: x', stack: 'at y', lost: { tftp: 3 }, retry: 100 },
      'error',
    ],
  ])('is logged: %j', (event, level) => {
    const { kind, ...fields } = event;
    expect(linesOf(event)).toEqual([expect.objectContaining({ event: kind, level, ...fields })]);
  });

  it('keeps the first start of a worker to itself', () => {
    const up: Event = { kind: 'worker.up', worker: 0, restarts: 0 };
    expect([linesOf(up), linesOf(up, 'debug').length]).toEqual([[], 1]);
  });

  it('does not flood the log while every backend is down', () => {
    const { bus, lines } = scene();
    for (let count = 0; count < 100; count += 1) bus.emit({ kind: 'health.doubted', service: 'tftp' });
    expect(lines()).toHaveLength(10);
  });
});

describe('the level', () => {
  it('silences what is less grave', () => {
    expect(linesOf(ended(), 'warn')).toEqual([]);
    expect(linesOf(ended({ result: 'timeout' }), 'warn')).toHaveLength(1);
    expect(linesOf(ended({ result: 'timeout' }), 'silent')).toEqual([]);
  });
});
