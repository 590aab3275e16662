import { execFileSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { UdpSocket } from '../../../../src/net/net.ts';
import { bytes, codeOf, Ear } from '../../../contract/net-scene.ts';
import { openSockets } from '../../../helpers/descriptors.ts';
import { until } from '../../../helpers/processes.ts';
import { isLinuxSkipped, openLinuxNet } from '../../../helpers/tid-nets.ts';
import { NetLab } from './net-lab.ts';

const peer = { address: '127.0.0.1', port: 69 };

describe.skipIf(isLinuxSkipped)('the descriptors of the Linux net', () => {
  let lab: NetLab;
  beforeEach(() => {
    lab = new NetLab();
  });
  afterEach(() => lab.close());

  it('may change hands in the midst of a round, and nobody hears what was another one’s', async () => {
    const heard = new Ear();
    const opened: UdpSocket[] = [];
    const closing = [1, 2, 3].map(() => {
      const ear: Ear = new Ear(() => {
        // Whichever is served first closes all, and has their descriptors used again.
        for (const socket of closing) socket.close();
        if (opened.length > 0) return;
        opened.push(...[1, 2, 3].map(() => lab.bind('127.0.0.1', 0, heard)));
      });
      return lab.bind('127.0.0.1', 0, ear);
    });
    const sender = lab.bind('127.0.0.1');
    for (const text of ['1', '2']) {
      for (const { port } of closing) sender.send(bytes(text), port, '127.0.0.1');
    }
    await until('they are closed', () => opened.length === 3 || undefined);
    for (const { port } of opened) sender.send(bytes('new'), port, '127.0.0.1');
    await until('the new ones have heard', () => heard.datagrams.length >= 3 || undefined);
    expect(heard.data).toEqual(['new', 'new', 'new']);
  });

  it('are not lost where a socket cannot be waited for', () => {
    const net = openLinuxNet();
    net.close();
    const before = openSockets();
    for (const bind of [
      () => net.bindUdp({ address: '127.0.0.1', port: 0 }, new Ear()),
      () =>
        lab.lend(
          net.backendTids(() => undefined),
          peer,
        ),
      () =>
        lab.lendVip(
          net.vipTids({ address: '127.0.0.1', ports: undefined }, () => undefined),
          peer,
        ),
    ]) {
      expect(codeOf(bind)).toBe('TLB_ERR_SOCKET');
    }
    expect(openSockets()).toBe(before);
  });

  it('run out with a word, after which it goes on with those that are there, and loses none', () => {
    const program = new URL('few-descriptors.ts', import.meta.url).pathname;
    const command = ['-c', 'ulimit -n 100 && exec "$0" "$1"', process.execPath, program];
    const told = JSON.parse(execFileSync('sh', command, { encoding: 'utf8' })) as Record<string, unknown>;
    const { backends } = told as { backends: number };
    expect(backends).toBeGreaterThan(64);
    expect(told).toEqual({
      backends,
      backendsElsewhere: backends,
      alone: 0,
      isLentAgain: true,
      vipsWithNone: 0,
      vips: backends,
      vipsOfOthers: 500,
      listeners: 0,
      codes: ['TLB_ERR_NO_DESCRIPTORS'],
      lost: 0,
    });
  });
});
