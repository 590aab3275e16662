import { describe, expect, it } from 'vitest';
import { Spin } from '../../../../src/linux/net/spin.ts';

describe('spinning', () => {
  it('lasts as long as it is told, and begins with a short wait', () => {
    const spin = new Spin(100);
    expect(spin.time).toBe(0.1);
    expect(spin.isWorthwhile).toBe(false);
    spin.blocked(0.5);
    expect(spin.isWorthwhile).toBe(false);
    spin.blocked(0.05);
    expect(spin.isWorthwhile).toBe(true);
  });

  it('is given up when it has found nothing for some times in a row', () => {
    const spin = new Spin(100);
    spin.blocked(0);
    for (let round = 0; round < 10; round++) {
      spin.spun(false);
      spin.spun(false);
      spin.spun(true);
      expect(spin.isWorthwhile).toBe(true);
    }
    for (let misses = 0; misses < 10; misses++) spin.spun(false);
    expect(spin.isWorthwhile).toBe(false);
    spin.blocked(0.01);
    expect(spin.isWorthwhile).toBe(true);
  });

  it('never is worthwhile where it lasts no time', () => {
    const spin = new Spin(0);
    for (const duration of [0, 0.001, 5]) spin.blocked(duration);
    expect(spin.isWorthwhile).toBe(false);
  });
});
