import { spawn } from 'node:child_process';
import { once } from 'node:events';

import { describe, expect, test } from 'vitest';

import { parseCpuTime } from '../../../bench/run/accounting.ts';
import {
  parseProportional,
  parseRunTime,
  treeCpuTimeOf,
  treeMemoryOf,
} from '../../../bench/run/process-tree.ts';

test('the CPU time of children that have ended is told apart from the own', () => {
  const stat = '42 (a) S 1 1 1 0 -1 4194560 900 0 0 0 250 75 30 4 20 0 7 0 100 1000 200';
  expect(parseCpuTime(stat, 'ended-children')).toEqual({ user: 0.3, system: 0.04 });
  expect(parseCpuTime(stat)).toEqual({ user: 2.5, system: 0.75 });
});

test('a share of memory is given in bytes', () => {
  expect(parseProportional('Rss:  900 kB\nPss:                 512 kB\nPss_Dirty:  100 kB\n')).toBe(524_288);
  expect(() => parseProportional('')).toThrow(RangeError);
});

test('the time that a thread has run is given in seconds', () => {
  expect(parseRunTime('1500000000 250000000 33\n')).toBe(1.5);
});

describe.runIf(process.platform === 'linux')('a process with descendants', () => {
  test('is accounted for with them, running or ended', async () => {
    const spin = 'while (process.cpuUsage().user < 500_000);';
    const code = `
      const { spawn, spawnSync } = require('node:child_process');
      spawnSync(process.execPath, ['-e', ${JSON.stringify(spin)}]);
      const child = spawn(process.execPath, ['-e', 'console.log("up"); process.stdin.resume()'], {
        stdio: ['pipe', 'inherit', 'inherit'],
      });
      child.on('exit', () => process.exit());
      process.stdin.on('end', () => child.stdin.end()).resume();`;
    const parent = spawn(process.execPath, ['-e', code], { stdio: ['pipe', 'pipe', 'inherit'] });
    try {
      await once(parent.stdout, 'data');
      const { user, system } = treeCpuTimeOf(parent.pid ?? 0);
      expect(user + system).toBeGreaterThan(0.45);
      const memory = treeMemoryOf(parent.pid ?? 0);
      expect(memory.processes).toBe(2);
      expect(memory.resident).toBeGreaterThan(memory.proportional);
    } finally {
      parent.stdin.end();
      await once(parent, 'exit');
    }
  });

  test('that is gone is not made up', () => {
    expect(() => treeMemoryOf(2 ** 30)).toThrow();
  });
});
