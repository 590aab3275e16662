import { describe, expect, it } from 'vitest';
import { NetError } from '../../../src/net/net.ts';
import { encodeData, encodeRequest, Opcode } from '../../../src/tftp/packet.ts';
import { Lab, Peer } from '../../helpers/lab.ts';

const everywhere = { listeners: [{ address: '0.0.0.0', port: 69 }] };
const request = encodeRequest(Opcode.rrq, 'file', 'octet');

describe('an unspecified address', () => {
  it('stands for every local address of its family, and answers come from the one that was asked', () => {
    const lab = new Lab({ service: everywhere, vips: ['10.0.0.1', '10.0.0.2', 'fd00::1'] });
    lab.engine.start();
    const backend = lab.backend(0);
    expect(lab.engine.listening().map(({ endpoint }) => endpoint.address)).toEqual(['10.0.0.1', '10.0.0.2']);
    const client = lab.client();
    client.send(request, { address: '10.0.0.2', port: 69 });
    lab.settle();
    backend.answer(encodeData(1, new Uint8Array(512)));
    lab.settle();
    expect(client.last.address).toBe('10.0.0.2');
  });

  it('follows addresses that come and go', () => {
    const lab = new Lab({ service: everywhere, vips: ['10.0.0.1'] });
    lab.engine.start();
    lab.balancer.setAddresses(['10.0.0.1', '10.0.0.9']);
    lab.net.advance(6_000);
    expect(lab.of('listener.up').map(({ listener }) => listener)).toEqual(['10.0.0.1:69', '10.0.0.9:69']);
    lab.balancer.setAddresses(['10.0.0.9']);
    lab.net.advance(6_000);
    expect(lab.of('listener.down')).toMatchObject([{ listener: '10.0.0.1:69' }]);
    expect(lab.balancer.openSockets).toBe(1);
  });

  it('ends the sessions of a single-port listener that goes', () => {
    const lab = new Lab({
      service: { ...everywhere, tids: { kind: 'single-port' } },
      vips: ['10.0.0.1', '10.0.0.2'],
    });
    lab.engine.start();
    const backend = lab.backend(0);
    lab.client().send(request, { address: '10.0.0.2', port: 69 });
    lab.settle();
    backend.answer(encodeData(1, new Uint8Array(512)));
    lab.settle();
    lab.balancer.setAddresses(['10.0.0.1']);
    lab.net.advance(6_000);
    expect(lab.ends).toMatchObject([{ result: 'error', error: { from: 'balancer' } }]);
    expect(lab.scoreboard.holders(0)).toBe(0);
  });

  it('tells once about an address that another program holds, and takes it when it is free', () => {
    const lab = new Lab({ service: everywhere, vips: ['10.0.0.1'] });
    lab.engine.start();
    lab.balancer.setAddresses(['10.0.0.1', '10.0.0.2']);
    const other = new Peer(lab.balancer, '10.0.0.2', 69);
    lab.net.advance(20_000);
    expect(lab.of('listener.down')).toHaveLength(1);
    other.socket.close();
    lab.net.advance(6_000);
    expect(lab.engine.listening()).toHaveLength(2);
  });

  it('of a family that the host has not is an error', () => {
    const lab = new Lab({ service: { listeners: [{ address: '::', port: 69 }] } });
    expect(() => lab.engine.start()).toThrow(NetError);
  });
});

describe('a listener that cannot be had', () => {
  it('fails the start and leaves nothing open', () => {
    const lab = new Lab({
      service: {
        listeners: [
          { address: '10.0.0.1', port: 69 },
          { address: '192.0.2.1', port: 69 },
        ],
      },
    });
    expect(() => lab.engine.start()).toThrow(
      expect.objectContaining({ name: 'NetError', code: 'TLB_ERR_ADDRESS_NOT_LOCAL' }),
    );
    expect(lab.balancer.openSockets).toBe(0);
    expect(lab.net.pendingTimers).toBe(0);
  });
});
