import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataLab, openDataLab, stallTimeout, type Far } from '../../helpers/data-lab.ts';
import { TcpEar } from '../../contract/net-tcp-scene.ts';

const directions = ['download', 'upload'] as const;
const slow = { link: { minDelay: 1, maxDelay: 20 } };

/** Bytes that differ at each place. */
function content(length: number): Uint8Array {
  return new Uint8Array(length).map((_, at) => (at * 31 + (at >> 8)) % 251);
}

function eventsOf({ ear }: Far): string[] {
  return ear.events.filter((event) => event !== 'drain');
}

function gotAll({ ear }: Far, sent: Uint8Array): boolean {
  return Buffer.concat(ear.chunks).equals(sent);
}

/** Nothing of the transfer looks like a good end to the target, and both connections are gone. */
function expectBroken(lab: DataLab, end: string): void {
  expect(lab.outcome?.end).toBe(end);
  expect(lab.target.ear.events).not.toContain('end');
  expect(lab.dismissed).toEqual([]);
  for (const { ear } of [lab.source, lab.target])
    expect(ear.events.at(-1)).toMatch(/^close (reset|aborted)$/);
}

describe.each(directions)('the %s', (direction) => {
  const open = (options: Parameters<typeof openDataLab>[1] = {}): Promise<DataLab> =>
    openDataLab(direction, options);

  it.each([0, 1, 65_536, 3_000_000])('of %i bytes ends with a FIN on either side', async (length) => {
    const lab = await open(slow);
    const { source, target } = lab;
    const sent = content(length);
    source.socket.write(sent);
    source.socket.end();
    await lab.pass(30_000);
    expect(gotAll(target, sent)).toBe(true);
    expect([eventsOf(target), eventsOf(source)]).toEqual([['end'], ['end', 'close clean']]);
    expect([lab.outcome, lab.counted]).toEqual([{ bytes: length, end: 'clean' }, length]);
    target.socket.end();
    await lab.pass(1_000);
    expect(eventsOf(target)).toEqual(['end', 'close clean']);
    expect([lab.net.openSockets, lab.net.pendingTimers]).toEqual([0, 0]);
  });

  it('is done as soon as the target has ended too', async () => {
    const lab = await open();
    lab.source.socket.write(content(100));
    lab.source.socket.end();
    await lab.pass(10);
    expect([eventsOf(lab.target), lab.outcome]).toEqual([['end'], undefined]);
    lab.target.socket.end();
    await lab.pass(10);
    expect(lab.outcome).toEqual({ bytes: 100, end: 'clean' });
  });

  it('to a target that never ends is done a moment after everything is out, and nobody is reset', async () => {
    const lab = await open();
    lab.source.socket.write(content(100));
    lab.source.socket.end();
    await lab.pass(990);
    expect(lab.outcome).toBeUndefined();
    await lab.pass(20);
    expect(lab.outcome).toEqual({ bytes: 100, end: 'clean' });
    expect(lab.dismissed).toEqual([lab.toSource, lab.toTarget]);
    await lab.pass(stallTimeout * 2);
    expect(eventsOf(lab.target)).toEqual(['end']);
  });

  it('is not done before everything is out', async () => {
    const lab = await open();
    lab.target.socket.pause();
    const sent = content(100_000);
    lab.source.socket.write(sent);
    lab.source.socket.end();
    await lab.pass(stallTimeout - 1_000);
    expect(lab.toTarget.pending).toBeGreaterThan(0);
    expect([lab.outcome, eventsOf(lab.source)]).toEqual([undefined, []]);
    lab.target.socket.resume();
    await lab.pass(100);
    expect([gotAll(lab.target, sent), eventsOf(lab.target), lab.outcome]).toEqual([true, ['end'], undefined]);
    lab.target.socket.end();
    await lab.pass(10);
    expect(lab.outcome?.end).toBe('clean');
  });

  it('keeps no more than a chunk when the target does not read', async () => {
    const lab = await open();
    lab.target.socket.pause();
    for (let at = 0; at < 100; at++) lab.source.socket.write(new Uint8Array(100_000));
    await lab.pass(10_000);
    expect(lab.source.socket.pending).toBeGreaterThan(9_000_000);
    expect(lab.toTarget.pending).toBeLessThanOrEqual(65_536);
    lab.target.socket.resume();
    lab.source.socket.end();
    await lab.pass(10_000);
    expect([lab.target.ear.length, lab.outcome?.end]).toEqual([10_000_000, 'clean']);
  });

  describe.each(['reading', 'not reading'])('with a target that is %s', (state) => {
    const prepare = async (seed: number): Promise<DataLab> => {
      const lab = await open({ ...slow, seed });
      if (state === 'not reading') lab.target.socket.pause();
      for (let at = 0; at < 13; at++) lab.source.socket.write(content(100_000));
      await lab.pass(seed * 7);
      return lab;
    };
    const seeds = Array.from({ length: 25 }, (_, at) => at + 1);

    it('that its source resets, at whatever moment, is broken for both', async () => {
      for (const seed of seeds) {
        const lab = await prepare(seed);
        lab.source.socket.reset();
        await lab.pass(5_000);
        lab.target.socket.resume();
        await lab.pass(5_000);
        expectBroken(lab, lab.ofSource);
        expect([lab.net.openSockets, lab.net.pendingTimers]).toEqual([0, 0]);
      }
    });

    it('that its target resets, at whatever moment, is broken for both', async () => {
      for (const seed of seeds) {
        const lab = await prepare(seed);
        if (seed % 2 === 0) lab.source.socket.end();
        lab.target.socket.reset();
        await lab.pass(5_000);
        expectBroken(lab, lab.ofTarget);
        expect([lab.net.openSockets, lab.net.pendingTimers]).toEqual([0, 0]);
      }
    });
  });

  it('whose backend breaks is broken for the client a moment later', async () => {
    const lab = await open();
    const [client, backend] = direction === 'download' ? [lab.target, lab.source] : [lab.source, lab.target];
    backend.socket.reset();
    await lab.pass(200);
    expect([lab.outcome?.end, eventsOf(client)]).toEqual(['backend-reset', []]);
    await lab.pass(100);
    expect(eventsOf(client)).toEqual(['close reset']);
  });

  it('that is reset right behind its last byte is broken', async () => {
    const lab = await open(slow);
    lab.source.socket.write(content(1_000));
    lab.source.socket.reset();
    await lab.pass(5_000);
    expectBroken(lab, lab.ofSource);
  });

  it('whose target ends its own direction early goes on to its end', async () => {
    const lab = await open(slow);
    const sent = content(300_000);
    lab.target.socket.end();
    await lab.pass(100);
    expect(eventsOf(lab.source)).toEqual([]);
    lab.source.socket.write(sent);
    lab.source.socket.end();
    await lab.pass(5_000);
    expect([gotAll(lab.target, sent), eventsOf(lab.target)]).toEqual([true, ['end', 'close clean']]);
    expect(lab.outcome).toEqual({ bytes: sent.length, end: 'clean' });
  });

  it.each([0, 200_000])(
    'whose target closes for good after %i bytes is broken, also by its last bytes',
    async (taken) => {
      const lab = await open(slow);
      lab.source.socket.write(content(taken));
      await lab.pass(2_000);
      expect(lab.target.ear.length).toBe(taken);
      lab.target.socket.end();
      lab.target.socket.release();
      await lab.pass(100);
      lab.source.socket.write(content(10));
      lab.source.socket.end();
      await lab.pass(2_000);
      expect(lab.outcome?.end).toBe(lab.ofTarget);
      expect(eventsOf(lab.source)).toEqual(['close reset']);
    },
  );

  it('reads and drops what comes the wrong way', async () => {
    const lab = await open(slow);
    for (let at = 0; at < 20; at++) lab.target.socket.write(content(50_000));
    lab.source.socket.write(content(1_000));
    await lab.pass(5_000);
    expect([lab.target.socket.pending, lab.source.ear.length]).toEqual([0, 0]);
    lab.source.socket.end();
    lab.target.socket.end();
    await lab.pass(5_000);
    expect([lab.outcome, lab.target.ear.length]).toEqual([{ bytes: 1_000, end: 'clean' }, 1_000]);
  });

  it('in which no byte moves for too long is broken for both', async () => {
    const lab = await open();
    lab.source.socket.write(content(10));
    await lab.pass(stallTimeout - 1_000);
    lab.target.socket.write(content(10));
    expect(lab.outcome).toBeUndefined();
    await lab.pass(2_000);
    expectBroken(lab, 'stalled');
  });

  it('whose target does not read for too long is broken for both', async () => {
    const lab = await open();
    lab.target.socket.pause();
    for (let at = 0; at < 20; at++) lab.source.socket.write(content(100_000));
    lab.source.socket.end();
    await lab.pass(stallTimeout + 1_000);
    lab.target.socket.resume();
    await lab.pass(1_000);
    expectBroken(lab, 'stalled');
  });

  it('is not stalled while bytes trickle', async () => {
    const lab = await open();
    for (let at = 0; at < 5; at++) {
      lab.source.socket.write(content(1));
      await lab.pass(stallTimeout - 1_000);
    }
    expect([lab.outcome, lab.target.ear.length]).toEqual([undefined, 5]);
  });

  it('that is aborted is broken for both, once', async () => {
    const lab = await open();
    lab.source.socket.write(content(500));
    await lab.pass(10);
    expect(lab.relay.bytes).toBe(500);
    lab.relay.abort();
    lab.relay.abort();
    await lab.pass(10);
    expectBroken(lab, 'aborted');
    expect(lab.outcome?.bytes).toBe(500);
  });

  it('that is over cannot be aborted', async () => {
    const lab = await open();
    lab.source.socket.write(content(500));
    lab.source.socket.end();
    await lab.pass(2_000);
    lab.relay.abort();
    await lab.pass(10);
    expect([lab.outcome?.end, eventsOf(lab.target)]).toEqual(['clean', ['end']]);
  });

  it('passes on what its source said before the relay, its end too', async () => {
    const early = { source: { early: content(3_000) } };
    const lab = await open({ early });
    lab.source.socket.write(content(10));
    lab.source.socket.end();
    await lab.pass(2_000);
    expect(gotAll(lab.target, Buffer.concat([content(3_000), content(10)]))).toBe(true);
    expect(lab.outcome).toEqual({ bytes: 3_010, end: 'clean' });
    const empty = await open({ early: { source: { isEnded: true } } });
    await empty.pass(2_000);
    expect([eventsOf(empty.target), empty.outcome]).toEqual([['end'], { bytes: 0, end: 'clean' }]);
  });

  it('drops what its target said before the relay, and remembers its end', async () => {
    const lab = await open({ early: { target: { early: content(5) } } });
    lab.target.socket.write(content(100_000));
    lab.source.socket.write(content(10));
    lab.source.socket.end();
    await lab.pass(2_000);
    expect([lab.source.ear.length, lab.target.socket.pending]).toEqual([0, 0]);
    expect(lab.outcome).toEqual({ bytes: 10, end: 'clean' });
    const ended = await open({ early: { target: { isEnded: true } } });
    ended.source.socket.write(content(10));
    ended.source.socket.end();
    await ended.pass(100);
    expect(ended.outcome).toBeUndefined();
    await ended.pass(1_000);
    expect([eventsOf(ended.target), ended.outcome?.end]).toEqual([['end'], 'clean']);
  });
});

type Step =
  | { readonly do: 'write' | 'wait'; readonly amount: number }
  | { readonly do: 'pause' | 'resume' | 'end' | 'reset' | 'target-end' | 'target-reset' | 'target-leave' };

const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('write' as const), amount: fc.nat(90_000) }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constant('wait' as const), amount: fc.nat(300) }) },
    { weight: 2, arbitrary: fc.constantFrom<Step>({ do: 'pause' }, { do: 'resume' }, { do: 'end' }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Step>(
        { do: 'reset' },
        { do: 'target-end' },
        { do: 'target-reset' },
        { do: 'target-leave' },
      ),
    },
  ),
  { maxLength: 20 },
);

describe('whatever happens', () => {
  it('a target that sees an end has everything, and so it is when the relay says clean', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...directions),
        fc.nat(1_000),
        steps,
        async (direction, seed, steps) => {
          const lab = await openDataLab(direction, { ...slow, seed });
          const told = await play(lab, steps);
          const { outcome, target } = lab;
          expect(outcome).toBeDefined();
          const isWhole = told.isEnded && gotAll(target, told.sent);
          if (target.ear.events.includes('end')) expect(isWhole).toBe(true);
          if (outcome?.end === 'clean') {
            expect(isWhole || told.isTargetGone).toBe(true);
            expect(told.isEnded && outcome.bytes).toBe(told.sent.length);
          }
          expect(lab.net.pendingTimers).toBe(0);
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** Does the steps, and then lets everything come to its end. */
async function play(
  lab: DataLab,
  steps: readonly Step[],
): Promise<{ sent: Uint8Array; isEnded: boolean; isTargetGone: boolean }> {
  const { source, target } = lab;
  const sent: Uint8Array[] = [];
  let isEnded = false;
  let isTargetGone = false;
  for (const step of steps) {
    switch (step.do) {
      case 'write': {
        const data = content(step.amount);
        if (!isEnded) sent.push(data);
        source.socket.write(data);
        break;
      }
      case 'wait':
        await lab.pass(step.amount);
        break;
      case 'pause':
        target.socket.pause();
        break;
      case 'resume':
        target.socket.resume();
        break;
      case 'end':
        isEnded = true;
        source.socket.end();
        break;
      case 'reset':
        source.socket.reset();
        break;
      case 'target-end':
        target.socket.end();
        break;
      case 'target-reset':
        isTargetGone = true;
        target.socket.reset();
        break;
      case 'target-leave':
        isTargetGone = true;
        target.socket.handle(new TcpEar());
        target.socket.end();
        target.socket.release();
    }
  }
  target.socket.resume();
  await lab.pass(2_000);
  if (lab.outcome?.end !== 'clean') await lab.pass(stallTimeout + 1_000);
  return { sent: Buffer.concat(sent), isEnded, isTargetGone };
}
