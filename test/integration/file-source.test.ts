/** Backends in a file on a real file system, written in the ways in which programs write files. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { SourceUpdate } from '../../src/discovery/backend-source.ts';
import { createBackendSource } from '../../src/discovery/create-source.ts';
import { nodeFiles } from '../../src/discovery/node-files.ts';
import { createNodeNet } from '../../src/net/node-net.ts';
import { removeFolders, temporaryFolder } from '../helpers/folders.ts';
import { until } from '../helpers/processes.ts';

const net = createNodeNet();
/** Longer than a test may take: what happens then is not owed to a poll. */
const never = 3_600_000;

afterAll(removeFolders);

interface Watch {
  readonly updates: readonly SourceUpdate[];
  /** Waits until these addresses have been told. */
  readonly has: (...addresses: readonly string[]) => Promise<void>;
}

async function watch(file: string, pollInterval = never): Promise<Watch> {
  const updates: SourceUpdate[] = [];
  const source = createBackendSource(
    { kind: 'file', path: file, port: 69, pollInterval, resolveInterval: never, emptyGrace: never },
    { net, files: nodeFiles },
  );
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  await source.watch((update) => updates.push(update), controller.signal);
  const latest = (): string[] | undefined =>
    updates.findLast((update) => update.kind === 'backends')?.backends.map(({ address }) => address);
  const has = async (...addresses: readonly string[]): Promise<void> => {
    await until(
      `there are ${addresses.join(', ')}`,
      () => latest()?.join() === addresses.join() || undefined,
    );
  };
  return { updates, has };
}

const list = (...addresses: readonly string[]): string =>
  addresses.map((address) => `- ${address}\n`).join('');

function newList(...addresses: readonly string[]): string {
  const file = path.join(temporaryFolder('list'), 'backends.yaml');
  writeFileSync(file, list(...addresses));
  return file;
}

describe('a file', () => {
  test('may be written in place, again and again', async () => {
    const file = newList('127.0.0.1');
    const { has } = await watch(file);
    for (let last = 2; last < 6; last++) {
      writeFileSync(file, list('127.0.0.1', `127.0.0.${last}`));
      await has('127.0.0.1', `127.0.0.${last}`);
    }
  });

  test('may be replaced by another one, again and again', async () => {
    const file = newList('127.0.0.1');
    const { has } = await watch(file);
    for (let last = 2; last < 6; last++) {
      writeFileSync(`${file}.new`, JSON.stringify([`127.0.0.${last}`]));
      renameSync(`${file}.new`, file);
      await has(`127.0.0.${last}`);
    }
  });

  test('may be gone for a moment', async () => {
    const file = newList('127.0.0.1');
    const { has, updates } = await watch(file);
    rmSync(file);
    await until('it is missed', () => updates.length > 1 || undefined);
    writeFileSync(file, list('127.0.0.2'));
    await has('127.0.0.2');
    expect(updates.map(({ kind }) => kind)).toEqual(['backends', 'failed', 'backends']);
  });

  test('that is being written is not taken for a shorter list', async () => {
    const file = newList('127.0.0.1', '127.0.0.2');
    const { has, updates } = await watch(file);
    const descriptor = openSync(file, 'w');
    for (const address of ['127.0.0.3', '127.0.0.4', '127.0.0.5']) writeSync(descriptor, list(address));
    closeSync(descriptor);
    await has('127.0.0.3', '127.0.0.4', '127.0.0.5');
    expect(updates).toHaveLength(2);
  });

  test('that is bad changes nothing until it is good', async () => {
    const file = newList('127.0.0.1');
    const { has, updates } = await watch(file);
    writeFileSync(file, '- {host: 127.0.0.2, po');
    await until('it is found to be bad', () => updates.length > 1 || undefined);
    writeFileSync(file, list('127.0.0.2'));
    await has('127.0.0.2');
    expect(updates.map(({ kind }) => kind)).toEqual(['backends', 'failed', 'backends']);
  });
});

/** What the kubelet does: the files are links to a folder of one version, and one link changes them all. */
class ConfigMap {
  readonly #folder = temporaryFolder('map');
  #version = 0;

  constructor(text: string) {
    this.publish(text);
    symlinkSync('..data/backends.yaml', this.file);
  }

  get file(): string {
    return path.join(this.#folder, 'backends.yaml');
  }

  publish(text: string): void {
    const before = path.join(this.#folder, `..${this.#version}`);
    const version = `..${++this.#version}`;
    mkdirSync(path.join(this.#folder, version));
    writeFileSync(path.join(this.#folder, version, 'backends.yaml'), text);
    symlinkSync(version, path.join(this.#folder, '..data_tmp'));
    renameSync(path.join(this.#folder, '..data_tmp'), path.join(this.#folder, '..data'));
    if (existsSync(before)) rmSync(before, { recursive: true });
  }
}

test('a Kubernetes config map is followed', async () => {
  const map = new ConfigMap(list('127.0.0.1'));
  const { has, updates } = await watch(map.file);
  for (let last = 2; last < 6; last++) {
    map.publish(list(`127.0.0.${last}`));
    await has(`127.0.0.${last}`);
  }
  expect(updates.every(({ kind }) => kind === 'backends')).toBe(true);
});

describe('where the system tells nothing, a poll finds', () => {
  test('a file at the end of a link that leads elsewhere', async () => {
    const target = newList('127.0.0.1');
    const link = path.join(temporaryFolder('link'), 'backends.yaml');
    symlinkSync(target, link);
    const { has } = await watch(link, 50);
    writeFileSync(target, list('127.0.0.2'));
    await has('127.0.0.2');
  });

  test('a folder that was replaced', async () => {
    const folder = temporaryFolder('releases');
    const file = path.join(folder, 'now', 'backends.yaml');
    for (const [release, address] of [
      ['a', '127.0.0.1'],
      ['b', '127.0.0.2'],
    ] as const) {
      mkdirSync(path.join(folder, release));
      writeFileSync(path.join(folder, release, 'backends.yaml'), list(address));
    }
    execFileSync('ln', ['-sfn', 'a', path.join(folder, 'now')]);
    const { has } = await watch(file, 50);
    execFileSync('ln', ['-sfn', 'b', path.join(folder, 'now')]);
    await has('127.0.0.2');
  });
});
