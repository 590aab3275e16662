/** What the engines tell policies of requests, and how a policy follows its service. */
import { describe, expect, it } from 'vitest';
import type { PolicyName } from '../../../src/engine/snapshot.ts';
import { decodeRequest } from '../../../src/tftp/request.ts';
import { backendAddress, Lab, type Peer } from '../../helpers/lab.ts';

const files = Array.from({ length: 12 }, (_, n) => `boot/${n}`);

function started(policy: PolicyName, backends = 4): { lab: Lab; servers: Peer[] } {
  const lab = new Lab({ backends, service: { policy } });
  lab.engine.start();
  return { lab, servers: Array.from({ length: backends }, (_, n) => lab.backend(n)) };
}

/** The files that each backend has been asked for so far. */
function askedOf(servers: readonly Peer[]): string[][] {
  return servers.map(({ received }) => received.map(({ bytes }) => decodeRequest(bytes).file));
}

describe('file-hash', () => {
  it('sends all requests for a file to one backend, and others to others', () => {
    const { lab, servers } = started('file-hash');
    for (const file of files) for (let n = 0; n < 3; n++) lab.read(lab.client(), file);
    const asked = askedOf(servers);
    expect(asked.flat()).toHaveLength(3 * files.length);
    for (const file of files) expect(asked.filter((names) => names.includes(file))).toHaveLength(1);
    expect(asked.filter((names) => names.length === 0)).toEqual([]);
  });

  it('asks the same second one for a file, whoever wants it', () => {
    const { lab, servers } = started('file-hash');
    for (let n = 0; n < 4; n++) lab.read(lab.client(), 'boot/0');
    lab.net.advance(1_100);
    const asked = askedOf(servers).filter((names) => names.length > 0);
    expect(asked.map((names) => names.length)).toEqual([4, 4]);
  });
});

describe('source-hash', () => {
  it('sends all requests of a client to one backend, and others to others', () => {
    const { lab, servers } = started('source-hash');
    for (const file of files) {
      const client = lab.client();
      for (let n = 0; n < 3; n++) lab.read(client, `${file}/${n}`);
    }
    const asked = askedOf(servers).map((names) => names.map((name) => name.slice(0, -2)));
    for (const file of files) expect(asked.filter((names) => names.includes(file))).toHaveLength(1);
    expect(asked.filter((names) => names.length === 0)).toEqual([]);
  });
});

describe('a new snapshot', () => {
  it('with other weights changes the shares at once, and without them goes on', () => {
    const { lab, servers } = started('round-robin', 2);
    const read = (count: number): void => {
      for (let n = 0; n < count; n++) lab.read(lab.client(), 'file');
    };
    read(3);
    lab.engine.update(lab.snapshot(2));
    read(1);
    expect(askedOf(servers).map((names) => names.length)).toEqual([2, 2]);

    const backends = [3, 1].map((weight, index) => ({
      index,
      name: `b${index}`,
      address: backendAddress(index),
      port: 69,
      weight,
    }));
    lab.engine.update(lab.snapshot(2, { pool: { backends } }));
    read(8);
    expect(askedOf(servers).map((names) => names.length)).toEqual([8, 4]);
  });

  it('with another policy obeys that', () => {
    const { lab, servers } = started('round-robin', 2);
    lab.engine.update(lab.snapshot(2, { policy: 'first' }));
    for (let n = 0; n < 4; n++) lab.read(lab.client(), 'file');
    expect(askedOf(servers).map((names) => names.length)).toEqual([4, 0]);
  });
});
