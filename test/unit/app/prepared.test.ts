import { describe, expect, it } from 'vitest';
import { type Prepared, prepareAll } from '../../../src/app/prepared.ts';

const calls: string[] = [];

function step(name: string): () => Promise<Prepared> {
  return async () => {
    calls.push(`prepare ${name}`);
    return { adopt: () => calls.push(`adopt ${name}`), cancel: () => calls.push(`cancel ${name}`) };
  };
}

async function failing(): Promise<Prepared> {
  throw new Error('no');
}

describe('parts of a change', () => {
  it('are prepared in their order, and adopted in it', async () => {
    calls.length = 0;
    const all = await prepareAll([step('a'), step('b')]);
    all.adopt();
    expect(calls).toEqual(['prepare a', 'prepare b', 'adopt a', 'adopt b']);
  });

  it('are cancelled, the last first, where one cannot be, and nothing behind it is tried', async () => {
    calls.length = 0;
    await expect(prepareAll([step('a'), step('b'), failing, step('c')])).rejects.toThrow('no');
    expect(calls).toEqual(['prepare a', 'prepare b', 'cancel b', 'cancel a']);
  });

  it('can be cancelled all together', async () => {
    calls.length = 0;
    (await prepareAll([step('a'), step('b')])).cancel();
    expect(calls.slice(2)).toEqual(['cancel b', 'cancel a']);
  });
});
