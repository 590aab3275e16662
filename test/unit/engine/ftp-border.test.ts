/** What the engine tells a session machine, and how it carries out what that decides. */
import { describe, expect, it } from 'vitest';
import type { MemoryHost } from '../../../src/net/memory-host.ts';
import type { Net } from '../../../src/net/net.ts';
import { bytes } from '../../contract/net-tcp-scene.ts';
import type { FtpClient } from '../../helpers/ftp-client.ts';
import { type FtpLab, type FtpLabOptions, ftpService, useFtpLab } from '../../helpers/ftp-lab.ts';
import { changedNet } from '../../helpers/changed-net.ts';
import { type FakeMachine, fakeMachines } from '../../helpers/ftp-machine.ts';
import type { FtpServer } from '../../helpers/ftp-server.ts';

const startLab = useFtpLab();
let lab: FtpLab;
let server: FtpServer;
let client: FtpClient;
let machine: FakeMachine;

/** A session whose machine has just been started. */
async function start(options: FtpLabOptions = {}): Promise<void> {
  const { create, machines } = fakeMachines();
  ({ lab, server } = await startLab({ backends: 1, ...options, createMachine: create }));
  client = await lab.client();
  machine = await lab.until('a session', () => machines[0]);
  machine.onTold = (input) => {
    if (input === 'shutdown') machine.end();
  };
}

/** With its backend. */
async function startConnected(options: FtpLabOptions = {}): Promise<void> {
  await start(options);
  machine.effects.connectBackend('');
  await lab.until('a backend', () => machine.count('onBackendConnected') > 0);
}

function names(): string[] {
  return machine.told.map(([input]) => input);
}

describe('a control connection', () => {
  it('is told from its first byte to its end', async () => {
    await start();
    client.control.write(bytes('USER'));
    await lab.pass(10);
    client.control.end();
    await lab.pass(10);
    expect(machine.told).toEqual([
      ['start'],
      ['onClientBytes', Uint8Array.from(bytes('USER'))],
      ['onClientEnd'],
    ]);
    expect(machine.options).toMatchObject({ client: '10.2.0.1', maxWaiting: 16, isReadOnly: false });
  });

  it('is told when it is reset, on either leg', async () => {
    await startConnected();
    server.last.control.reset();
    await lab.pass(10);
    client.control.reset();
    await lab.pass(10);
    expect(names().slice(-2)).toEqual(['onBackendReset', 'onClientReset']);
  });

  it('is no longer told once it was closed', async () => {
    await startConnected();
    await lab.until('the greeting', () => machine.count('onBackendBytes') > 0);
    machine.effects.closeClient('reset');
    machine.effects.closeBackend('fin');
    server.last.say('220 late');
    await lab.pass(10);
    expect([client.ear.events, names().at(-1)]).toEqual([['close reset'], 'onBackendBytes']);
    expect(machine.count('onBackendBytes')).toBe(1);
  });

  it('that was paused is closed with a FIN all the same, and what is pending is delivered', async () => {
    await start();
    machine.effects.pauseClient();
    client.control.write(bytes('too much'));
    await lab.pass(10);
    expect(machine.count('onClientBytes')).toBe(0);
    machine.effects.toClient(bytes('421 bye\r\n'));
    machine.end();
    client.control.write(new Uint8Array(1_000_000));
    await lab.pass(1_000);
    expect([client.ear.data, client.control.pending]).toEqual(['421 bye\r\n', 0]);
    expect(client.ear.events).not.toContain('close reset');
    client.control.end();
    await lab.pass(10);
    expect(client.ear.events.at(-1)).toBe('close clean');
  });

  it('that its peer does not end is not kept for ever', async () => {
    await start();
    machine.end();
    await lab.pass(9_000);
    expect(lab.balancer.openSockets).toBe(2);
    await lab.pass(2_000);
    expect(lab.balancer.openSockets).toBe(1);
  });
});

describe('a client that does not read', () => {
  const chunk = new Uint8Array(50_000);

  it('is wanted no more for, until it has read', async () => {
    await start();
    client.control.pause();
    expect(machine.effects.toClient(chunk)).toBe(true);
    expect(machine.effects.toClient(chunk)).toBe(false);
    await lab.pass(1_000);
    expect(machine.count('onClientDrain')).toBe(0);
    client.control.resume();
    await lab.until('the drain', () => machine.count('onClientDrain') > 0);
    expect(machine.effects.toClient(bytes('x'))).toBe(true);
    await lab.pass(100_000);
    expect([client.ear.length, client.ear.events]).toEqual([100_001, []]);
  });

  it.each([
    [51, 1_048_576],
    [13, 65_536],
  ])(
    'is reset before it costs too much: %i chunks where a reply has up to %i bytes',
    async (fit, replyBytes) => {
      const { commands } = ftpService;
      await start({ service: { commands: { ...commands, caps: { ...commands.caps, replyBytes } } } });
      client.control.pause();
      for (let n = 0; n < fit; n++) machine.effects.toClient(chunk);
      await lab.pass(10);
      expect(machine.count('onClientReset')).toBe(0);
      for (let n = 0; n < 10; n++) machine.effects.toClient(chunk);
      await lab.pass(10);
      expect(machine.count('onClientReset')).toBe(1);
    },
  );

  it('is reset when it has not read for too long', async () => {
    await start();
    client.control.pause();
    machine.effects.toClient(chunk);
    machine.effects.toClient(chunk);
    await lab.pass(59_000);
    expect(machine.count('onClientReset')).toBe(0);
    await lab.pass(2_000);
    expect(machine.count('onClientReset')).toBe(1);
  });

  it('is reset in the end, when it was closed with something pending', async () => {
    await start();
    client.control.pause();
    for (let n = 0; n < 10; n++) machine.effects.toClient(chunk);
    machine.end();
    await lab.pass(11_000);
    client.control.resume();
    await lab.pass(10);
    expect(client.ear.events).toEqual(['close reset']);
  });
});

describe('the clock', () => {
  it('is told when the deadline has passed, wherever that has moved, and not after the end', async () => {
    await start();
    machine.deadline = lab.net.now() + 5_000;
    client.control.write(bytes('x'));
    await lab.pass(100);
    machine.deadline = lab.net.now() + 1_000;
    client.control.write(bytes('x'));
    await lab.pass(900);
    expect(machine.count('onTimer')).toBe(0);
    machine.onTold = (input) => {
      if (input === 'onTimer') machine.deadline = lab.net.now() + 1_000;
    };
    await lab.pass(200);
    expect(machine.count('onTimer')).toBe(1);
    machine.end();
    await lab.pass(5_000);
    expect(machine.count('onTimer')).toBe(1);
  });
});

describe('a machine that fails', () => {
  it('costs its own session, and the fault is told', async () => {
    await startConnected();
    machine.effects.listenForClient(1, 'epsv');
    const [, , at] = await lab.until('a port', () => machine.last('onClientListening'));
    const data = await client.connect({ address: lab.vip, port: (at as { port: number }).port });
    machine.effects.listenForClient(2, 'epsv');
    await lab.pass(10);
    machine.onTold = () => {
      throw new Error('a fault');
    };
    client.control.write(bytes('x'));
    await lab.until('the end', () => client.ear.isClosed && data.ear.isClosed);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'fault', error: 'a fault', backend: 'b0' }]);
    expect(server.last.events).toEqual(['reset']);
    await lab.pass(10);
    expect(lab.balancer.openSockets).toBe(1);
    expect(lab.active()).toEqual([0]);
    const told = machine.told.length;
    machine.effects.toClient(bytes('x'));
    expect(machine.effects.abortData(1, 'session-end')).toBe(0);
    await lab.pass(1_000);
    expect(machine.told).toHaveLength(told);
  });
});

describe('data connections', () => {
  it('of a generation that is given up while they are being opened leave nothing behind, and nothing is told', async () => {
    for (const wrap of [undefined, deaf]) {
      await startConnected(wrap && { wrap });
      const peer = await client.listen();
      const port = await lab.net.play(server.last.listen());
      const told = machine.told.length;
      const { effects } = machine;
      effects.listenForClient(1, 'epsv');
      effects.listenForBackend(1);
      effects.connectToClient(2, peer.at);
      effects.connectToBackend(2, { address: undefined, port });
      effects.abortData(1, 'replaced');
      await lab.pass(0);
      effects.dropBackendLeg(2);
      effects.abortData(2, 'replaced');
      await lab.pass(1_000);
      expect(machine.told).toHaveLength(told);
      // The listener, and both control connections.
      expect(lab.balancer.openSockets).toBe(3);
      machine.end();
    }
  });

  it('are paired by generation, and nothing is told of a relay that was aborted', async () => {
    await startConnected();
    const { effects } = machine;
    const port = await lab.net.play(server.last.listen());
    effects.listenForClient(7, 'pasv');
    effects.connectToBackend(7, { address: undefined, port });
    const [, generation, at] = await lab.until('a port', () => machine.last('onClientListening'));
    expect([generation, at]).toMatchObject([7, { address: '10.0.0.1' }]);
    const data = await client.connect(at as { address: string; port: number });
    await lab.until('both legs', () => names().filter((name) => name.endsWith('DataOpen')).length === 2);
    effects.startRelay(8, 'upload');
    effects.startRelay(7, 'upload');
    data.socket.write(new Uint8Array(1_234));
    await lab.pass(10);
    expect(effects.abortData(7, 'abor')).toBe(1_234);
    expect(effects.abortData(7, 'abor')).toBe(0);
    await lab.pass(1_000);
    expect(data.ear.events).toEqual(['close reset']);
    expect(machine.count('onRelayDone')).toBe(0);
  });

  it('of a relay that ends by itself are told once, and nothing of them is left', async () => {
    await startConnected();
    const { effects } = machine;
    const port = await lab.net.play(server.last.listen());
    const peer = await client.listen();
    effects.connectToClient(1, peer.at);
    effects.connectToBackend(1, { address: undefined, port });
    await lab.until('both legs', () => names().filter((name) => name.endsWith('DataOpen')).length === 2);
    effects.startRelay(1, 'upload');
    const data = await peer.accepted();
    data.socket.reset();
    await lab.until('the end', () => machine.count('onRelayDone') > 0);
    expect(machine.last('onRelayDone')).toEqual(['onRelayDone', 1, { bytes: 0, end: 'client-reset' }]);
    expect(effects.abortData(1, 'session-end')).toBe(0);
    await lab.pass(100);
    expect([machine.count('onRelayDone'), lab.balancer.openSockets]).toEqual([1, 3]);
  });

  it('have a relay only if both legs are open', async () => {
    await startConnected();
    const { effects } = machine;
    const peer = await client.listen();
    effects.connectToClient(1, peer.at);
    const data = await peer.accepted();
    await lab.until('the leg', () => machine.count('onClientDataOpen') > 0);
    effects.startRelay(1, 'download');
    effects.listenForBackend(1);
    await lab.until('a port', () => machine.count('onBackendListening') > 0);
    effects.startRelay(1, 'download');
    effects.abortData(1, 'other-leg');
    await lab.until('the end', () => data.ear.isClosed);
    expect(data.ear.events).toEqual(['close reset']);
  });

  it('on the backend’s side can be opened in another way, and the client’s leg stays', async () => {
    await startConnected({ service: { timing: { ...ftpService.timing, dataConnect: 1_000 } } });
    const { effects } = machine;
    const peer = await client.listen();
    effects.connectToClient(1, peer.at);
    const data = await peer.accepted();
    effects.connectToBackend(1, { address: '192.0.2.99', port: 5_000 });
    await lab.until('the failure', () => machine.count('onBackendDataFailed') > 0);
    effects.dropBackendLeg(1);
    effects.listenForBackend(1);
    const [, , at] = await lab.until('a port', () => machine.last('onBackendListening'));
    expect(at).toMatchObject({ address: '10.0.0.1' });
    server.last.aim(at as { address: string; port: number });
    await lab.net.play(server.last.data());
    await lab.until('the leg', () => machine.count('onBackendDataOpen') > 0);
    expect(data.ear.events).toEqual([]);
  });

  it('before there is a backend are not to be had on its side', async () => {
    await start();
    machine.effects.listenForBackend(1);
    machine.effects.connectToBackend(1, { address: undefined, port: 5_000 });
    machine.effects.dropBackendLeg(1);
    await lab.pass(100);
    expect(names()).toEqual(['start']);
  });
});

describe('a backend that is being asked', () => {
  it('and given up is not told of, even if it answers in that moment', async () => {
    await start({ wrap: deaf });
    machine.effects.connectBackend('');
    machine.effects.closeBackend('reset');
    await lab.pass(1_000);
    expect(names()).toEqual(['start']);
    expect([lab.balancer.openSockets, server.last.events]).toEqual([2, ['reset']]);
  });
});

/** A net that hears of no abort, and whose listeners take their time. */
function deaf(host: MemoryHost): Net {
  const connectTcp: Net['connectTcp'] = (to, { timeout }) => host.connectTcp(to, { timeout });
  const listenTcp: Net['listenTcp'] = async (at, handlers) => {
    const listener = await host.listenTcp(at, handlers);
    await new Promise<void>((resolve) => host.setTimer(1, resolve));
    return listener;
  };
  return changedNet(host, { connectTcp, listenTcp });
}
