import { describe, expect, test } from 'vitest';
import type { FoundBackend } from '../../../src/balance/pool.ts';
import { DiscoveryError, type SourceUpdate } from '../../../src/discovery/backend-source.ts';
import { FileSource, type FileSourceOptions } from '../../../src/discovery/file-source.ts';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import { MemoryFiles } from '../../helpers/memory-files.ts';
import { pass } from '../../helpers/virtual-time.ts';

const path = '/etc/backends.yaml';
const options: FileSourceOptions = {
  path,
  port: 69,
  pollInterval: 5_000,
  resolveInterval: 30_000,
  emptyGrace: 60_000,
};

interface Scene {
  readonly memory: MemoryNet;
  readonly files: MemoryFiles;
  readonly updates: SourceUpdate[];
  readonly controller: AbortController;
  readonly host: MemoryHost;
  readonly latest: () => string[];
  readonly failures: () => string[];
}

function prepare(text?: string): Scene & { readonly start: () => Promise<void> } {
  const memory = new MemoryNet({ seed: 1 });
  const host = memory.host(['127.0.0.1']);
  const files = new MemoryFiles();
  if (text !== undefined) files.write(path, text);
  const updates: SourceUpdate[] = [];
  const controller = new AbortController();
  const source = new FileSource({ net: host, files }, options);
  const latest = (): string[] => {
    const told = updates.findLast((update) => update.kind === 'backends');
    return (told?.backends ?? []).map(briefly);
  };
  const failures = (): string[] =>
    updates.flatMap((update) =>
      update.kind === 'failed' ? [`${update.source}: ${update.error.message}`] : [],
    );
  const start = (): Promise<void> =>
    memory.play(source.watch((update) => updates.push(update), controller.signal));
  return { memory, files, updates, controller, host, latest, failures, start };
}

async function watch(text: string): Promise<Scene> {
  const scene = prepare(text);
  await scene.start();
  return scene;
}

function briefly({ name, address, port, weight }: FoundBackend): string {
  return `${name} = ${address} ${port} *${weight}`;
}

describe('a list', () => {
  test('is told at the start', async () => {
    const { latest, updates } = await watch(
      '- 192.0.2.1\n- {host: 192.0.2.2, port: 70, weight: 5, name: rack}\n',
    );
    expect(latest()).toEqual(['192.0.2.1 = 192.0.2.1 69 *1', 'rack = 192.0.2.2 70 *5']);
    expect(updates).toHaveLength(1);
  });

  test('is told again soon after the system says that the file has changed', async () => {
    const { memory, files, latest } = await watch('- 192.0.2.1');
    files.write(path, '- 192.0.2.2');
    await pass(memory, 500);
    expect(latest()).toEqual(['192.0.2.2 = 192.0.2.2 69 *1']);
  });

  test('is told again at the next poll where the system says nothing', async () => {
    const { memory, files, latest } = await watch('- 192.0.2.1');
    files.isTalkative = false;
    await pass(memory, 1_000);
    files.write(path, '- 192.0.2.2');
    await pass(memory, 4_000);
    expect(latest()).toEqual(['192.0.2.1 = 192.0.2.1 69 *1']);
    await pass(memory, 1_500);
    expect(latest()).toEqual(['192.0.2.2 = 192.0.2.2 69 *1']);
  });

  test('is told again if the file has changed before the system could tell', async () => {
    const scene = prepare('- 192.0.2.1');
    const started = scene.start();
    scene.files.isTalkative = false;
    scene.files.write(path, '- 192.0.2.2');
    await started;
    await pass(scene.memory, 500);
    expect(scene.latest()).toEqual(['192.0.2.2 = 192.0.2.2 69 *1']);
  });

  test('is not told again where the file is written anew with the same', async () => {
    const { memory, files, updates } = await watch('- 192.0.2.1');
    files.write(path, '["192.0.2.1"]');
    await pass(memory, 10_000);
    expect([updates.length, files.reads]).toEqual([1, 2]);
  });

  test('is not read while the file keeps changing, nor again while it does not', async () => {
    const { memory, files, latest } = await watch('- 192.0.2.1');
    for (let part = 0; part < 50; part++) {
      files.write(path, `- 192.0.2.${part + 2}`);
      await pass(memory, 60);
    }
    expect(files.reads).toBe(1);
    await pass(memory, 60_000);
    expect([files.reads, latest()]).toEqual([2, ['192.0.2.51 = 192.0.2.51 69 *1']]);
  });
});

describe('a bad file', () => {
  const good = '- 192.0.2.1';

  test.each([
    ['half-written', '- {host: 192.0.2.2, po', 'line 1'],
    ['of another kind', 'host: 192.0.2.2', 'expected a list of backends'],
    ['wrong in one entry', '- 192.0.2.2\n- 192.0.2.256', 'line 2: expected a host'],
    ['with a name given twice', '- {host: 192.0.2.1, name: x}\n- {host: 192.0.2.2, name: x}', 'called "x"'],
    ['with a host that is not found', '- 192.0.2.2\n- gone.test', 'cannot find the host "gone.test"'],
    ['too large', `# ${'x'.repeat(131_072)}`, 'more than 131072 bytes'],
  ])('leaves the last set in force and is told once: %s', async (_, text, reason) => {
    const { memory, files, latest, failures } = await watch(good);
    files.write(path, text);
    await pass(memory, 60_000);
    expect(latest()).toEqual(['192.0.2.1 = 192.0.2.1 69 *1']);
    expect(failures()).toEqual([expect.stringContaining(reason)]);
    expect(failures()[0]).toContain(path);
  });

  test('is told again when it is bad in another way, or anew', async () => {
    const { memory, files, failures } = await watch(good);
    for (const text of ['[', 'text', good, 'text']) {
      files.write(path, text);
      await pass(memory, 10_000);
    }
    expect(failures()).toHaveLength(3);
  });

  test('may be none for a while', async () => {
    const { memory, files, latest, failures, updates } = await watch(good);
    files.remove(path);
    await pass(memory, 60_000);
    expect([latest().length, failures().length]).toEqual([1, 1]);
    files.write(path, good);
    await pass(memory, 60_000);
    expect(updates).toHaveLength(2);
    files.write(path, '- 192.0.2.2');
    await pass(memory, 1_000);
    expect(latest()).toEqual(['192.0.2.2 = 192.0.2.2 69 *1']);
  });

  test.each([
    ['none', undefined, 'cannot read'],
    ['bad', 'text', 'expected a list'],
    ['empty', '[]', 'there are no backends in /etc/backends.yaml'],
  ])('is no beginning: %s', async (_, text, reason) => {
    const { start, memory, files, updates } = prepare(text);
    const started = start();
    await expect(started).rejects.toBeInstanceOf(DiscoveryError);
    await expect(started).rejects.toThrow(reason);
    await expect(started).rejects.toMatchObject({ sources: [path] });
    expect([updates, memory.pendingTimers, files.watches]).toEqual([[], 0, 0]);
  });
});

describe('an empty list', () => {
  test('is doubted for a while, said once, then believed', async () => {
    const { memory, files, latest, updates } = await watch('- 192.0.2.1');
    files.write(path, '[]');
    await pass(memory, 59_000);
    expect([latest().length, updates.length]).toEqual([1, 2]);
    await pass(memory, 10_000);
    expect([latest().length, updates.length]).toEqual([0, 3]);
    files.write(path, '- 192.0.2.1');
    await pass(memory, 1_000);
    expect([latest().length, updates.length]).toEqual([1, 4]);
  });

  test('that was filled again in time was nothing', async () => {
    const { memory, files, latest, updates } = await watch('- 192.0.2.1');
    files.write(path, '[]');
    await pass(memory, 30_000);
    files.write(path, '- 192.0.2.1');
    await pass(memory, 120_000);
    expect([latest().length, updates.length]).toEqual([1, 2]);
  });
});

describe('host names', () => {
  test('are resolved, and again after their interval', async () => {
    const scene = prepare('- boot.test');
    const { memory, latest } = scene;
    memory.names.set('boot.test', ['192.0.2.1']);
    await scene.start();
    expect(latest()).toEqual(['boot.test = 192.0.2.1 69 *1']);
    memory.names.set('boot.test', ['192.0.2.2']);
    await pass(memory, 29_000);
    expect(latest()).toEqual(['boot.test = 192.0.2.1 69 *1']);
    await pass(memory, 1_500);
    expect(latest()).toEqual(['boot.test = 192.0.2.2 69 *1']);
  });

  test('that are not in the list any more are not asked for', async () => {
    const scene = prepare('- boot.test');
    const { memory, files, latest, failures } = scene;
    memory.names.set('boot.test', ['192.0.2.1']);
    await scene.start();
    files.write(path, '- 192.0.2.9');
    await pass(memory, 1_000);
    memory.names.delete('boot.test');
    await pass(memory, 120_000);
    expect([latest(), failures()]).toEqual([['192.0.2.9 = 192.0.2.9 69 *1'], []]);
  });

  test('that stop resolving keep their addresses, and that is told', async () => {
    const scene = prepare('- boot.test');
    const { memory, latest, failures } = scene;
    memory.names.set('boot.test', ['192.0.2.1']);
    await scene.start();
    memory.names.delete('boot.test');
    await pass(memory, 31_000);
    expect([latest().length, failures()]).toEqual([1, [expect.stringContaining('boot.test')]]);
  });
});

describe('the end', () => {
  test('is obeyed while a resolver is silent', async () => {
    const { host, memory, files, controller } = prepare('- boot.test');
    const net = {
      lookup: () => new Promise<string[]>(() => undefined),
      now: () => host.now(),
      setTimer: host.setTimer.bind(host),
    };
    const ready = new FileSource({ net, files }, options).watch(() => undefined, controller.signal);
    const reason = new Error('enough');
    memory.setTimer(10, () => controller.abort(reason));
    await expect(memory.play(ready)).rejects.toBe(reason);
    expect([memory.pendingTimers, files.watches]).toEqual([0, 0]);
  });

  test('leaves no timer and no watch', async () => {
    const { memory, files, controller, updates } = await watch('- 192.0.2.1');
    controller.abort();
    files.write(path, '- 192.0.2.2');
    await pass(memory, 60_000);
    expect([memory.pendingTimers, files.watches, updates.length]).toEqual([0, 0, 1]);
  });
});
