/** What must be true of sessions between two real peers on a bad network, as properties. */
import fc from 'fast-check';
import { expect } from 'vitest';
import { encodeAck, encodeData } from '../../../src/tftp/packet.ts';
import type { Fate } from './link.ts';
import { type BackendKind, Scene, type SceneOptions, type Stray } from './relay-scene.ts';

/** How long a property is tried: a number of runs, and milliseconds after which it is enough. */
export interface Runs {
  readonly numRuns: number;
  readonly interruptAfterTimeLimit?: number;
}

type Case = Omit<SceneOptions, 'fate' | 'strays'>;

const shape = fc.record({
  blksize: fc.integer({ min: 8, max: 24 }),
  windowsize: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 12 })),
});

const sizes = fc.oneof(fc.nat(300), fc.constantFrom(0, 8, 64, 96, 511, 512, 513, 1_024));

function casesOf(
  backends: fc.Arbitrary<readonly BackendKind[]>,
  retries: fc.Arbitrary<number>,
): fc.Arbitrary<Case> {
  return fc.record<Case>({
    operation: fc.constantFrom('read', 'write'),
    size: sizes,
    asked: fc.option(shape, { nil: undefined }),
    limits: shape,
    backends,
    singlePort: fc.boolean(),
    retryNotFound: fc.boolean(),
    retries,
  });
}

const anyBackends = fc.array(fc.constantFrom<BackendKind>('serves', 'serves', 'silent', 'refuses', 'lacks'), {
  minLength: 1,
  maxLength: 3,
});

/** Lost, in time, overtaken by later ones, twice; late by `most` milliseconds in the worst case. */
function fateOf(most: number): fc.Arbitrary<Fate> {
  return fc.oneof(
    { weight: 8, arbitrary: fc.constant<Fate>([1]) },
    { weight: 2, arbitrary: fc.constant<Fate>([]) },
    { weight: 1, arbitrary: fc.integer({ min: 2, max: 30 }).map((delay): Fate => [delay]) },
    { weight: 1, arbitrary: fc.integer({ min: 300, max: most }).map((delay): Fate => [delay]) },
    { weight: 1, arbitrary: fc.integer({ min: 1, max: most }).map((delay): Fate => [1, delay]) },
  );
}

/** No first reply to any request: what a server sends in the middle of a transfer, or a peer that is confused. */
const stray: fc.Arbitrary<Stray> = fc.record({
  at: fc.nat(3_000),
  packet: fc.oneof(
    fc.integer({ min: 2, max: 65_535 }).map((block) => encodeData(block, new Uint8Array(3))),
    fc.integer({ min: 1, max: 65_535 }).map((block) => encodeAck(block)),
    fc.constant(encodeData(0, new Uint8Array(8))),
  ),
});

function received(scene: Scene, relay: Scene['relays'][number]): readonly number[] {
  return scene.isRead ? scene.client.received : (relay.pinned?.received ?? []);
}

/** What holds whatever the network and the backends do. */
function checkEnds(scene: Scene): void {
  for (const relay of scene.relays) {
    const { result } = relay.machine;
    expect(relay.isClosed).toBe(true);
    expect(result).toBeDefined();
    expect(relay.ends).toBe(1 + relay.resumes);
    if (result === 'ok') {
      expect(Uint8Array.from(received(scene, relay))).toEqual(scene.content);
      // Late packets of a replaced session count too: on one port nobody can tell them apart.
      const isAlone = !scene.options.singlePort || scene.relays.length === 1;
      if (isAlone) expect(relay.machine.bytes).toBe(scene.content.length);
    }
    if (result === 'ok-unacked') {
      const relayed = [...relay.relayedBlocks.values()].reduce((sum, length) => sum + length, 0);
      expect([scene.isRead, relayed]).toEqual([true, scene.content.length]);
    }
  }
  for (const peer of [scene.client, ...scene.servers]) {
    expect(Uint8Array.from(peer.received)).toEqual(scene.content.subarray(0, peer.received.length));
  }
  expect(scene.clock.pendingTimers).toBe(0);
}

/** Whatever the network and the backends do: one end, `ok` only where every byte arrived, nothing stray gets through. */
export function endsRight(runs: Runs): void {
  const cases = casesOf(anyBackends, fc.integer({ min: 1, max: 6 }));
  const strays = fc.array(stray, { maxLength: 4 });
  const network = fc.infiniteStream(fateOf(4_000));
  const property = fc.property(cases, strays, network, (each, strays, fates) => {
    const scene = new Scene({ ...each, strays, fate: () => fates.next().value ?? [] });
    scene.run();
    checkEnds(scene);
  });
  fc.assert(property, runs);
}

/** While the faults are fewer than the peers have patience, every byte gets across. */
export function bringsAcross(runs: Runs): void {
  const others = fc.array(fc.constantFrom<BackendKind>('serves', 'refuses'), { maxLength: 2 });
  // Later than that, a copy of the request may be taken for a new one (and in single-port mode it then is).
  const faults = fc.array(fateOf(900), { maxLength: 25 });
  const property = fc.property(casesOf(others, fc.constant(40)), faults, (each, faults) => {
    const left = [...faults];
    const backends: readonly BackendKind[] = [...each.backends, 'serves'];
    const scene = new Scene({ ...each, backends, strays: [], fate: () => left.shift() ?? [1] });
    scene.run();
    checkEnds(scene);
    expect(scene.client.ended).toBe('complete');
    // A read of one block is over for a client whose ACK is lost, and who has proved nothing gets few repeats.
    expect(scene.relays.map(({ machine }) => machine.result)).toContainEqual(
      expect.stringMatching(scene.isRead ? /^ok(-unacked)?$/ : /^ok$/),
    );
  });
  fc.assert(property, runs);
}

/** A read finds the one backend that serves it behind others that are silent, refuse or lack the file. */
export function findsWhoServes(runs: Runs): void {
  const others = fc.array(fc.constantFrom<BackendKind>('silent', 'lacks', 'refuses'), { maxLength: 2 });
  const property = fc.property(casesOf(others, fc.constant(40)), (each) => {
    const backends: readonly BackendKind[] = [...each.backends, 'serves'];
    const scene = new Scene({
      ...each,
      backends,
      operation: 'read',
      retryNotFound: true,
      strays: [],
      fate: () => [1],
    });
    scene.run();
    checkEnds(scene);
    expect(scene.relays.map(({ machine }) => [machine.result, machine.tries])).toEqual([
      ['ok', backends.length],
    ]);
  });
  fc.assert(property, runs);
}
