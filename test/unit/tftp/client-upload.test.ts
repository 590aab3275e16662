import { describe, expect, it } from 'vitest';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { upload } from '../../../src/tftp/client.ts';
import type { Host } from '../../../src/tftp/host.ts';
import { encodeAck, encodeOack } from '../../../src/tftp/packet.ts';
import { fileOf, patterned } from './content.ts';
import { request, scripted } from './scripted.ts';

describe('upload', () => {
  it('writes a file in blocks of the size granted', async () => {
    const replies = [encodeOack({ blksize: '8', tsize: '19' }), encodeAck(1), encodeAck(2), encodeAck(3)];
    const { net, clientHost, heard } = scripted(...replies);
    const options = { blksize: 512, tsize: 19 };
    const report = await net.play(upload(clientHost, request({ options }), fileOf(patterned(19))));
    expect(heard).toEqual([
      'WRQ "f" octet tsize=19 blksize=512',
      'DATA block 1, 8 bytes',
      'DATA block 2, 8 bytes',
      'DATA block 3, 3 bytes',
    ]);
    expect(report).toMatchObject({ bytes: 19, blocks: 3, repeats: 0 });
    await report.closed;
    expect(clientHost.openSockets).toBe(0);
  });

  it('uses 512 bytes where the server knows no options', async () => {
    const { net, clientHost, heard } = scripted(encodeAck(0), encodeAck(1), encodeAck(2));
    const report = await net.play(
      upload(clientHost, request({ options: { blksize: 1024 } }), fileOf(new Uint8Array(512))),
    );
    expect(heard.slice(1)).toEqual(['DATA block 1, 512 bytes', 'DATA block 2, 0 bytes']);
    expect(report).toMatchObject({ granted: {}, repeats: 0 });
  });

  it('sends DATA 1 once, however often the server repeats its first reply', async () => {
    const oack = encodeOack({ blksize: '8' });
    const { net, clientHost, from, heard, client } = scripted(oack);
    const done = upload(clientHost, request({ options: { blksize: 8 } }), fileOf(patterned(3)));
    net.advance(1);
    from.send(oack, client().port, client().address);
    from.send(oack, client().port, client().address);
    net.advance(1);
    from.send(encodeAck(1), client().port, client().address);
    await net.play(done);
    expect(heard.slice(1)).toEqual(['DATA block 1, 3 bytes']);
  });

  it('waits for a stream and keeps its window', async () => {
    const chunks: (Buffer | undefined)[] = [undefined, Buffer.alloc(8, 'a'), undefined, Buffer.from('end')];
    const wakers: (() => void)[] = [];
    const wake = (): void => wakers.forEach((waker) => waker());
    const source = {
      kind: 'stream' as const,
      read: (into: Uint8Array) => {
        const chunk = chunks.shift();
        if (chunk === undefined) return -1;
        into.set(chunk);
        return chunk.length;
      },
      onReady: (callback: () => void) => {
        wakers.push(callback);
      },
    };
    const { net, clientHost, heard } = scripted(encodeOack({ blksize: '8' }), encodeAck(1), encodeAck(2));
    const done = upload(clientHost, request({ options: { blksize: 8 } }), source);
    net.advance(60_000);
    expect(heard).toHaveLength(1);
    wake();
    net.advance(60_000);
    expect(heard.at(-1)).toBe('DATA block 1, 8 bytes');
    wake();
    const report = await net.play(done);
    expect(heard.slice(1)).toEqual(['DATA block 1, 8 bytes', 'DATA block 2, 3 bytes']);
    expect(report.repeats).toBe(0);
  });
});

it('takes any net as its host', () => {
  const host: Host = createNodeNet();
  expect(host.now()).toBeGreaterThan(0);
});
