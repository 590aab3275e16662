import { describe, expect, test } from 'vitest';

import {
  busySecondsOf,
  cpuTimeOf,
  openDescriptorsOf,
  parseBusy,
  parseCpuTime,
  parseResident,
  parseSoftirq,
  residentOf,
} from '../../../bench/run/accounting.ts';

describe('CPU time of a process', () => {
  const numbers = '1 1 1 0 -1 4194560 900 0 0 0 250 75 0 0 20 0 7 0 100 1000 200';

  test('counts in hundredths of a second', () => {
    expect(parseCpuTime(`42 (node) S ${numbers}`)).toEqual({ user: 2.5, system: 0.75 });
  });

  test('is found behind any name', () => {
    expect(parseCpuTime(`42 (a) 9 (b) S ${numbers}`)).toEqual({ user: 2.5, system: 0.75 });
  });

  test('is not made up', () => {
    expect(() => parseCpuTime('')).toThrow(RangeError);
  });
});

test('resident memory is given in bytes', () => {
  expect(parseResident('VmPeak:\t  900 kB\nVmRSS:\t  512 kB\nRssAnon:\t 100 kB\n')).toBe(524_288);
  expect(() => parseResident('Name:\tkthreadd\n')).toThrow(RangeError);
});

test('a busy core is one that is neither idle nor waits for a disk', () => {
  const stat = 'cpu  1 1 1 1 1 1 1 1\ncpu1 100 20 300 5000 6000 7 70 3 0 0\ncpu10 1 1 1 1 1 1 1 1\n';
  expect(parseBusy(stat, 1)).toBe(5);
  expect(parseBusy(stat, 10)).toBe(0.06);
});

test('what a core does for received packets is told apart', () => {
  expect(parseSoftirq('cpu1 100 20 300 5000 6000 7 70 3 0 0\ncpu10 1 1 1 1 1 1 2 1\n', 1)).toBe(0.7);
  expect(parseSoftirq('cpu1 100 20 300 5000 6000 7 70 3 0 0\n', 0)).toBe(0);
});

describe.runIf(process.platform === 'linux')('of this process', () => {
  test('there is something to account for', () => {
    const { user, system } = cpuTimeOf(process.pid);
    expect(user + system).toBeGreaterThan(0);
    expect(residentOf(process.pid)).toBeGreaterThan(1e6);
    expect(openDescriptorsOf(process.pid)).toBeGreaterThan(2);
    expect(busySecondsOf([0])).toBeGreaterThan(0);
  });
});
