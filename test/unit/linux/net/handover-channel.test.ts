import { afterEach, describe, expect, it } from 'vitest';
import { DescriptorMessage } from '../../../../src/linux/descriptor-message.ts';
import { HandoverChannel } from '../../../../src/linux/net/handover-channel.ts';
import { close } from '../../../../src/linux/sockets.ts';
import { createNodeNet } from '../../../../src/net/node-net.ts';
import { openSockets } from '../../../helpers/descriptors.ts';
import { removeFolders } from '../../../helpers/folders.ts';
import { isElsewhere, SocketLab } from '../kernel.ts';
import { unixPair } from '../unix-pair.ts';

const patience = 5_000;

describe.skipIf(isElsewhere)('a channel between two processes', () => {
  const lab = new SocketLab();
  const clock = createNodeNet();
  const open: HandoverChannel[] = [];
  afterEach(() => {
    for (const channel of open.splice(0)) channel.close();
    lab.close();
    removeFolders();
  });

  /** `raw` is the descriptor of `one`. */
  function channels(): { one: HandoverChannel; other: HandoverChannel; raw: number } {
    const [raw, far] = unixPair();
    const one = new HandoverChannel(lab.libc, raw, clock);
    const other = new HandoverChannel(lab.libc, far, clock);
    open.push(one, other);
    return { one, other, raw };
  }

  it('carries messages of any length and with any number of descriptors', async () => {
    const { one, other } = channels();
    const text = 'täglich '.repeat(100_000);
    const fd = lab.open(4);
    const sent = one.send(
      { text },
      Array.from({ length: 600 }, () => fd),
      patience,
    );
    const { value, descriptors } = await other.receive(patience);
    await sent;
    for (const received of descriptors) close(lab.libc, received);
    expect(value).toEqual({ text });
    expect(descriptors).toHaveLength(600);
    await other.send(['back'], [], patience);
    await expect(one.receive(patience)).resolves.toEqual({ value: ['back'], descriptors: [] });
  });

  it('tells when the other process has gone, and leaves no descriptor behind', async () => {
    const { one, other, raw } = channels();
    const half = new DescriptorMessage(lab.libc, 64);
    const fd = lab.open(4);
    const before = openSockets();
    // A piece that is not the last one.
    half.send(raw, Buffer.from([0, 65]), [fd]);
    one.close();
    await expect(other.receive(patience)).rejects.toThrow(/closed the connection/u);
    await expect(other.send('anything', [], patience)).rejects.toThrow(/cannot be reached/u);
    expect(openSockets()).toBe(before - 1);
  });

  it('waits no longer than it is told', async () => {
    const { one, other } = channels();
    await expect(other.receive(10)).rejects.toThrow(/in time/u);
    const endless = 'x'.repeat(10_000_000);
    await expect(one.send(endless, [], 10)).rejects.toThrow(/in time/u);
  });
});
