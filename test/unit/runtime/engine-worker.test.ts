/** The worker's side of the border, with an engine that a test speaks for. */
import { describe, expect, it } from 'vitest';
import { Scoreboard } from '../../../src/balance/scoreboard.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import type { Snapshot } from '../../../src/engine/snapshot.ts';
import { NetError } from '../../../src/net/net.ts';
import type { Emit } from '../../../src/observe/events.ts';
import { EngineWorker } from '../../../src/runtime/engine-worker.ts';
import type { WorkerMessage } from '../../../src/runtime/messages.ts';
import { Receipts } from '../../../src/runtime/receipts.ts';

const snapshotOf = (version: number): Snapshot => ({ version, services: [] });
const started = { kind: 'ftp.session.start', service: 'ftp' } as const;

class Stage {
  readonly scoreboard = Scoreboard.create({ services: 1, backends: 1, workers: 2, reasons: 1 });
  /** What the engine was called for, and that the thread may end. */
  readonly calls: string[] = [];
  readonly posts: WorkerMessage[] = [];
  readonly worker: EngineWorker;
  emit: Emit = () => undefined;
  onStart: () => void | Promise<void> = () => undefined;
  onStop: () => void = () => undefined;

  constructor() {
    const tidPorts = { ipv4: new SharedArrayBuffer(0), ipv6: new SharedArrayBuffer(0) };
    this.worker = new EngineWorker({
      boot: { worker: 1, scoreboard: this.scoreboard.buffer, tidPorts, receipts: Receipts.allocate() },
      createEngine: ({ snapshot, worker, emit }) => {
        this.calls.push(`create ${snapshot.version} as ${worker}`);
        this.emit = emit;
        return this.#engine();
      },
      post: (message) => this.posts.push(message),
      later: () => undefined,
      end: () => this.calls.push('end'),
    });
  }

  get said(): string[] {
    return this.posts.map(({ kind }) => kind);
  }

  #engine(): Engine {
    const note = (call: string): void => void this.calls.push(call);
    return {
      start: () => this.onStart(),
      update: ({ version }) => note(`update ${version}`),
      drain: () => note('drain'),
      leave: () => note('leave'),
      stop: () => {
        note('stop');
        this.onStop();
      },
      listening: () => [],
    };
  }
}

describe('a worker', () => {
  it('says that it is ready, and serves when it is told to', async () => {
    const stage = new Stage();
    expect([stage.said, stage.calls]).toEqual([['ready'], []]);
    await stage.worker.obey({ kind: 'start', snapshot: snapshotOf(3), lent: [] });
    expect([stage.said, stage.calls]).toEqual([['ready', 'started'], ['create 3 as 1']]);
  });

  it('tells events before the answer that they led to', async () => {
    const stage = new Stage();
    stage.onStart = () => stage.emit(started);
    await stage.worker.obey({ kind: 'start', snapshot: snapshotOf(1), lent: [] });
    expect(stage.said).toEqual(['ready', 'events', 'started']);
    stage.emit(started);
    await stage.worker.obey({ kind: 'drain' });
    expect(stage.said.slice(3)).toEqual(['events', 'draining']);
    stage.onStop = () => stage.emit(started);
    await stage.worker.obey({ kind: 'stop' });
    expect([stage.said.slice(5), stage.calls.at(-1)]).toEqual([['events'], 'end']);
  });

  it('says what it cannot have, with nothing but plain data, and ends', async () => {
    const stage = new Stage();
    stage.onStart = () => {
      throw new NetError('TLB_ERR_PERMISSION', 'cannot bind it', { cause: new Error('EACCES') });
    };
    await stage.worker.obey({ kind: 'start', snapshot: snapshotOf(1), lent: [] });
    const failure = { code: 'TLB_ERR_PERMISSION', message: 'cannot bind it' };
    expect(stage.posts.at(-1)).toEqual({ kind: 'failed', failure });
    expect(stage.calls.at(-1)).toBe('end');
  });

  it('dies of anything else', async () => {
    const stage = new Stage();
    stage.onStart = async () => {
      throw new TypeError('a fault');
    };
    await expect(stage.worker.obey({ kind: 'start', snapshot: snapshotOf(1), lent: [] })).rejects.toThrow(
      'a fault',
    );
    expect(stage.said).toEqual(['ready']);
  });

  it('obeys a new snapshot once its engine does', async () => {
    const stage = new Stage();
    await stage.worker.obey({ kind: 'start', snapshot: snapshotOf(1), lent: [] });
    stage.scoreboard.writer(1).obeys(1);
    await stage.worker.obey({ kind: 'update', snapshot: snapshotOf(2), lent: [] });
    expect(stage.calls).toEqual(['create 1 as 1', 'update 2']);
    expect([stage.scoreboard.isObeyed(1), stage.scoreboard.isObeyed(2)]).toEqual([false, true]);
  });

  it('can be told to drain or to stop before it was started', async () => {
    const stage = new Stage();
    await stage.worker.obey({ kind: 'drain' });
    await stage.worker.obey({ kind: 'stop' });
    expect([stage.said, stage.calls]).toEqual([['ready', 'draining'], ['end']]);
  });

  it('that is about to die can still tell what has happened', async () => {
    const stage = new Stage();
    await stage.worker.obey({ kind: 'start', snapshot: snapshotOf(1), lent: [] });
    stage.emit(started);
    stage.worker.flush();
    expect(stage.posts.at(-1)).toEqual({ kind: 'events', events: [started] });
  });
});
