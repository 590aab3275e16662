import { describe, expect, it } from 'vitest';
import { download } from '../../../src/tftp/client.ts';
import { StoreError } from '../../../src/tftp/errors.ts';
import { encodeAck, encodeData, encodeError, encodeOack } from '../../../src/tftp/packet.ts';
import { describePacket } from '../../../src/tftp/trace.ts';
import { collector, request, scripted, server, tid } from './scripted.ts';

const full = new Uint8Array(512).fill(1);
const last = Uint8Array.of(2, 3);

describe('download', () => {
  it('reads a file without options', async () => {
    const { net, clientHost, heard } = scripted(encodeData(1, full), encodeData(2, last));
    const sink = collector();
    const report = await net.play(download(clientHost, request(), sink));
    expect(sink.content()).toEqual(Buffer.concat([full, last]));
    expect(sink.ended).toBe(true);
    expect(report).toMatchObject({ bytes: 514, blocks: 2, repeats: 0, granted: {}, peer: { port: tid } });
    expect(heard).toEqual(['RRQ "f" octet', 'ACK block 1']);
    net.runUntilIdle();
    expect(heard.at(-1)).toBe('ACK block 2');
  });

  it('asks for options and obeys what is granted', async () => {
    const options = { blksize: 1024, timeout: 3, tsize: 0, windowsize: 4 };
    const oack = encodeOack({ windowsize: '2', tsize: '18', timeout: '3', blksize: '8' });
    const { net, clientHost, from, heard, client } = scripted(undefined, undefined);
    const granted: unknown[] = [];
    const sink = collector();
    const done = download(clientHost, request({ options, onGranted: (each) => granted.push(each) }), sink);
    net.advance(1);
    expect(heard).toEqual(['RRQ "f" octet tsize=0 blksize=1024 timeout=3 windowsize=4']);
    for (const packet of [
      oack,
      encodeData(1, full.subarray(0, 8)),
      encodeData(2, full.subarray(0, 8)),
      encodeData(3, last),
    ]) {
      from.send(packet, client().port, client().address);
    }
    const report = await net.play(done);
    net.runUntilIdle();
    expect(heard.slice(1)).toEqual(['ACK block 0', 'ACK block 2', 'ACK block 3']);
    expect(report.granted).toEqual({ windowsize: 2, tsize: 18, timeout: 3, blksize: 8 });
    expect(granted).toEqual([report.granted]);
    expect(sink.content()).toHaveLength(18);
  });

  it.each<[string, Record<string, string>]>([
    ['more than was asked for', { blksize: '1025' }],
    ['less than is legal', { blksize: '7' }],
    ['no number', { blksize: 'big' }],
    ['another timeout', { timeout: '4' }],
    ['a window of nothing', { windowsize: '0' }],
    ['what was not asked for', { windowsize: '2', tsize: '5' }],
    ['what nobody knows', { multicast: '' }],
  ])('refuses an OACK with %s', async (_, granted) => {
    const { net, clientHost, heard } = scripted(encodeOack(granted));
    const options = { blksize: 1024, timeout: 3, windowsize: 4 };
    const done = net.play(download(clientHost, request({ options }), collector()));
    await expect(done).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_PROTOCOL', answer: 8 });
    net.runUntilIdle();
    expect(heard.at(-1)).toMatch(/^ERROR 8 "the server granted /);
    expect(clientHost.openSockets).toBe(0);
  });

  it('reports the ERROR of the server and answers nothing', async () => {
    const { net, clientHost, heard } = scripted(encodeError(1, 'no such file'));
    const done = net.play(download(clientHost, request(), collector()));
    await expect(done).rejects.toMatchObject({
      code: 'TLB_ERR_TFTP_REMOTE',
      remoteCode: 1,
      remoteMessage: 'no such file',
    });
    net.runUntilIdle();
    expect(heard).toHaveLength(1);
    expect(clientHost.openSockets).toBe(0);
  });

  it('reports at once that nobody listens', async () => {
    const { net, clientHost } = scripted();
    const nobody = { address: server.address, port: 70 };
    const started = net.now();
    const done = net.play(download(clientHost, request({ server: nobody }), collector()));
    await expect(done).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_REFUSED' });
    expect(net.now() - started).toBeLessThan(100);
    expect(clientHost.openSockets).toBe(0);
  });

  it('repeats its request, then gives up', async () => {
    const { net, clientHost, heard } = scripted();
    const started = net.now();
    const done = net.play(download(clientHost, request(), collector()));
    await expect(done).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_TIMEOUT' });
    expect(net.now() - started).toBeCloseTo(1000 + 2000 + 4000);
    expect(heard).toEqual(['RRQ "f" octet', 'RRQ "f" octet', 'RRQ "f" octet']);
    expect(net.pendingTimers).toBe(0);
  });

  it('tells the server that it gives up in the middle', async () => {
    const { net, clientHost, heard } = scripted(encodeData(1, full));
    const done = net.play(download(clientHost, request(), collector()));
    await expect(done).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_TIMEOUT' });
    net.runUntilIdle();
    expect(heard.slice(1)).toEqual([...Array(3).fill('ACK block 1'), 'ERROR 0 "no answer from the peer"']);
  });

  it('gives strangers ERROR 5 and goes on', async () => {
    const { net, clientHost, from, stranger, client } = scripted(encodeData(1, full));
    const sink = collector();
    const done = download(clientHost, request(), sink);
    net.advance(1);
    const answers = [
      stranger('192.0.2.66', encodeData(2, last)),
      stranger(server.address, encodeData(2, last)),
      stranger('192.0.2.66', encodeError(0, 'stop')),
      stranger('192.0.2.66', Uint8Array.of(0, 3)),
    ];
    net.advance(1);
    const unknown = 'ERROR 5 "unknown transfer ID"';
    expect(answers).toEqual([[unknown], [unknown], [], []]);
    from.send(encodeData(2, last), client().port, client().address);
    await net.play(done);
    expect(sink.content()).toHaveLength(514);
  });

  it('takes the first reply from the server alone, and only what can be a reply', async () => {
    const { net, clientHost, from, heard, stranger, client } = scripted();
    const done = download(clientHost, request(), collector());
    net.advance(1);
    stranger('192.0.2.66', encodeError(1, 'no such file'));
    for (const packet of [
      encodeData(2, last),
      encodeAck(0),
      Uint8Array.of(0, 3, 0),
      Uint8Array.of(1, 3, 0, 1),
    ]) {
      stranger(server.address, packet);
    }
    net.advance(1);
    from.send(encodeData(1, last), client().port, client().address);
    const report = await net.play(done);
    expect(report.peer).toEqual({ address: server.address, port: tid });
    net.runUntilIdle();
    expect(heard).toEqual(['RRQ "f" octet', 'ACK block 1']);
  });

  it('dallies after its end, with the result out already', async () => {
    const { net, clientHost, from, heard, client } = scripted(encodeData(1, last));
    const started = net.now();
    const report = await net.play(download(clientHost, request(), collector()));
    expect(net.now() - started).toBeLessThan(100);
    net.advance(1500);
    from.send(encodeData(1, last), client().port, client().address);
    net.advance(400);
    expect(heard).toEqual(['RRQ "f" octet', 'ACK block 1', 'ACK block 1']);
    expect(clientHost.openSockets).toBe(1);
    await net.play(report.closed);
    expect(net.now() - started).toBeLessThan(2100);
    expect(clientHost.openSockets).toBe(0);
  });

  it('ends dallying when it is told to', async () => {
    const { net, clientHost, heard } = scripted(encodeData(1, last));
    const stop = new AbortController();
    const report = await net.play(download(clientHost, request({ signal: stop.signal }), collector()));
    stop.abort();
    await report.closed;
    net.runUntilIdle();
    expect(heard).toEqual(['RRQ "f" octet', 'ACK block 1']);
    expect(clientHost.openSockets).toBe(0);
  });

  it('aborts, and says so to a server that has answered', async () => {
    const { net, clientHost, heard } = scripted(encodeData(1, full));
    const stop = new AbortController();
    const done = download(clientHost, request({ signal: stop.signal }), collector());
    net.advance(10);
    stop.abort(new Error('enough'));
    await expect(done).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_ABORTED', cause: { message: 'enough' } });
    net.runUntilIdle();
    expect(heard.at(-1)).toBe('ERROR 0 "the transfer was aborted"');
    expect(clientHost.openSockets).toBe(0);
    expect(net.pendingTimers).toBe(0);
  });

  it('aborts silently before the first reply, and does not start when it is aborted already', async () => {
    const { net, clientHost, heard } = scripted();
    const stop = new AbortController();
    const done = download(clientHost, request({ signal: stop.signal }), collector());
    net.advance(10);
    stop.abort();
    await expect(done).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_ABORTED' });
    const second = download(clientHost, request({ signal: stop.signal }), collector());
    await expect(second).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_ABORTED' });
    net.runUntilIdle();
    expect(heard).toEqual(['RRQ "f" octet']);
  });

  it('passes the failure of its sink on, without its text to the server unless that is meant for it', async () => {
    const failures = [
      { error: new Error('/home/me is full'), told: 'ERROR 0 "transfer failed"' },
      { error: new StoreError(3, 'no space left'), told: 'ERROR 3 "no space left"' },
    ];
    for (const { error, told } of failures) {
      const { net, clientHost, heard } = scripted(encodeData(1, full));
      const sink = {
        write: () => {
          throw error;
        },
        end: () => {},
      };
      await expect(net.play(download(clientHost, request(), sink))).rejects.toBe(error);
      net.runUntilIdle();
      expect(heard.at(-1)).toBe(told);
    }
  });

  it('refuses blocks that are longer than agreed', async () => {
    const { net, clientHost, heard } = scripted(encodeData(1, new Uint8Array(513)));
    const done = net.play(download(clientHost, request(), collector()));
    await expect(done).rejects.toMatchObject({ code: 'TLB_ERR_TFTP_PROTOCOL' });
    net.runUntilIdle();
    expect(heard.at(-1)).toMatch(/^ERROR 4 /);
  });

  it('translates netascii', async () => {
    const { net, clientHost } = scripted(encodeData(1, Buffer.from('a\r\nb\r\0\r')));
    const sink = collector();
    const report = await net.play(download(clientHost, request({ mode: 'netascii' }), sink));
    expect(sink.content().toString()).toBe('a\nb\r\r');
    expect(report.bytes).toBe(7);
  });

  it('traces every packet with its direction and peer', async () => {
    const { net, clientHost, stranger } = scripted(encodeData(1, full));
    const lines: string[] = [];
    const stop = new AbortController();
    const done = download(
      clientHost,
      request({
        signal: stop.signal,
        trace: (direction, packet, peer) => lines.push(`${direction} ${peer.port} ${describePacket(packet)}`),
      }),
      collector(),
    );
    net.advance(1);
    stranger(server.address, encodeAck(9));
    net.advance(1);
    stop.abort();
    await expect(done).rejects.toThrow('aborted');
    expect(lines.map((line) => line.replace(/ (?!69 |4000 )\d{4,} /, ' elsewhere '))).toEqual([
      'sent 69 RRQ "f" octet',
      'received 4000 DATA block 1, 512 bytes',
      'sent 4000 ACK block 1',
      'received elsewhere ACK block 9',
      'sent elsewhere ERROR 5 "unknown transfer ID"',
      'sent 4000 ERROR 0 "the transfer was aborted"',
    ]);
  });

  it.each([{ blksize: 7 }, { blksize: 65_465 }, { windowsize: 0 }, { timeout: 256 }, { blksize: 8.5 }])(
    'does not ask for %j',
    async (options) => {
      const { net, clientHost } = scripted();
      await expect(download(clientHost, request({ options }), collector())).rejects.toThrow(RangeError);
      expect(net.openSockets).toBe(2);
    },
  );

  it('reports a host without a route as a socket error, at once', async () => {
    const { net, clientHost } = scripted();
    clientHost.setAddresses([]);
    const done = net.play(download(clientHost, request(), collector()));
    await expect(done).rejects.toMatchObject({
      code: 'TLB_ERR_TFTP_SOCKET',
      cause: { code: 'TLB_ERR_UNREACHABLE' },
    });
  });

  it('names what kept datagrams from being sent when it gives up', async () => {
    const { net, clientHost } = scripted(encodeData(1, full));
    const done = download(clientHost, request(), collector());
    net.advance(1);
    clientHost.setAddresses([]);
    await expect(net.play(done)).rejects.toMatchObject({
      code: 'TLB_ERR_TFTP_TIMEOUT',
      message: expect.stringContaining('no route'),
    });
  });
});
