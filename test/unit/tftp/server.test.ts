import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryNet } from '../../../src/net/memory-net.ts';
import { download, upload } from '../../../src/tftp/client.ts';
import type { TransferReport, TransferRequest } from '../../../src/tftp/client-transfer.ts';
import { MemoryStore, type MemoryStoreOptions } from '../../../src/tftp/memory-store.ts';
import { encodeAck, encodeData, encodeError, encodeRequest, Opcode } from '../../../src/tftp/packet.ts';
import { type ServerOptions, TftpServer } from '../../../src/tftp/server.ts';
import type { ServedTransfer } from '../../../src/tftp/server-transfer.ts';
import type { Store } from '../../../src/tftp/store.ts';
import { describePacket } from '../../../src/tftp/trace.ts';
import { fileOf, patterned } from './content.ts';
import { collector, request } from './scripted.ts';

const address = '192.0.2.69';

interface Setup extends Partial<ServerOptions> {
  readonly files?: Record<string, Uint8Array>;
  readonly storeOptions?: MemoryStoreOptions;
  readonly seed?: number;
  readonly loss?: number;
}

function setup({ files = {}, storeOptions, seed = 1, loss = 0, ...options }: Setup = {}) {
  const link = { loss, duplication: loss, reordering: loss, minDelay: 1, maxDelay: 3 };
  const net = new MemoryNet({ seed, ...(loss > 0 ? { link } : {}) });
  const clientHost = net.host(['192.0.2.1']);
  const serverHost = net.host([address]);
  const store = new MemoryStore(files, storeOptions);
  const ended: ServedTransfer[] = [];
  const server = new TftpServer(serverHost, {
    at: { address, port: 69 },
    store,
    onEnd: (transfer) => ended.push(transfer),
    ...options,
  });
  const get = async (changes: Partial<TransferRequest>): Promise<TransferReport & { content: Buffer }> => {
    const sink = collector();
    const report = await net.play(download(clientHost, request({ retry, ...changes }), sink));
    return { ...report, content: sink.content() };
  };
  const put = async (content: Uint8Array, changes: Partial<TransferRequest> = {}): Promise<TransferReport> =>
    net.play(upload(clientHost, request({ retry, ...changes }), fileOf(content)));
  return { net, clientHost, serverHost, store, server, ended, get, put };
}

const retry = { timeout: 1000, retries: 12 };

/** A client that sends what it is told to and remembers `PORT PACKET` of what it gets. */
function rawClient({ net, clientHost }: ReturnType<typeof setup>) {
  const heard: string[] = [];
  const ports: number[] = [];
  const socket = clientHost.bindUdp(
    { address: '0.0.0.0', port: 0 },
    {
      onDatagram: (data, port) => {
        ports.push(port);
        heard.push(`${port === 69 ? '69' : 'tid'} ${describePacket(data)}`);
      },
      onError: () => {},
    },
  );
  const send = (packet: Uint8Array, port = 69): string[] => {
    heard.length = 0;
    socket.send(packet, port, address);
    net.advance(2);
    return [...heard];
  };
  return { send, heard, tid: () => ports.at(-1) ?? 0 };
}

const rrq = (file = 'f', options = {}): Uint8Array => encodeRequest(Opcode.rrq, file, 'octet', options);
const wrq = (file = 'f', options = {}): Uint8Array => encodeRequest(Opcode.wrq, file, 'octet', options);

describe.each([{ singlePort: false }, { singlePort: true }])('TftpServer with %j', ({ singlePort }) => {
  it.each([0, 1, 511, 512, 513, 1024, 5000])('serves %i bytes', async (size) => {
    const content = patterned(size);
    const { net, get, ended, serverHost } = setup({ singlePort, files: { f: content } });
    const report = await get({});
    expect(report.content).toEqual(Buffer.from(content));
    expect(report.peer.port === 69).toBe(singlePort);
    net.runUntilIdle();
    expect(ended).toMatchObject([
      { operation: 'read', file: 'f', bytes: size, repeats: 0, error: undefined },
    ]);
    expect(serverHost.openSockets).toBe(1);
  });

  it.each([0, 1, 511, 512, 513, 1024, 5000])('takes %i bytes', async (size) => {
    const content = patterned(size);
    const { net, put, store, ended, serverHost } = setup({ singlePort });
    await put(content, { file: 'new' });
    expect(store.files.get('new')).toEqual(content);
    net.runUntilIdle();
    expect(ended).toMatchObject([{ operation: 'write', file: 'new', bytes: size, error: undefined }]);
    expect(serverHost.openSockets).toBe(1);
  });

  it('moves files verbatim over a bad link', async () => {
    const sizes = fc.nat(6000);
    const blksize = fc.integer({ min: 8, max: 1000 });
    const windowsize = fc.integer({ min: 1, max: 8 });
    await fc.assert(
      fc.asyncProperty(fc.nat(), sizes, blksize, windowsize, async (seed, size, blksize, windowsize) => {
        const content = patterned(size);
        const options = { blksize: Math.max(blksize, size >> 6, 8), windowsize };
        const setting = setup({ singlePort, files: { f: content }, seed, loss: 0.05, retry });
        const read = await setting.get({ options });
        expect(read.content).toEqual(Buffer.from(content));
        await setting.put(content, { options, file: 'new' });
        expect(setting.store.files.get('new')).toEqual(content);
        setting.net.runUntilIdle();
        expect(setting.net.openSockets).toBe(1);
      }),
      { numRuns: 40, seed: 1 },
    );
  });

  it('serves many clients at once', async () => {
    const { net, clientHost, ended } = setup({ singlePort, files: { f: patterned(3000) } });
    const sinks = Array.from({ length: 100 }, () => collector());
    await net.play(Promise.all(sinks.map((sink) => download(clientHost, request(), sink))));
    expect(sinks.every((sink) => sink.content().equals(patterned(3000)))).toBe(true);
    net.runUntilIdle();
    expect(ended).toHaveLength(100);
  });

  it('swallows a repeated request while its answer is under way', () => {
    const setting = setup({ singlePort, files: { f: patterned(600) } });
    const { send, heard, tid } = rawClient(setting);
    const port = singlePort ? '69' : 'tid';
    expect(send(rrq())).toEqual([`${port} DATA block 1, 512 bytes`]);
    expect(send(rrq())).toEqual([]);
    expect(send(encodeAck(1), tid())).toEqual([`${port} DATA block 2, 88 bytes`]);
    setting.net.advance(1000);
    expect(heard).toHaveLength(2);
    expect(send(encodeAck(2), tid())).toEqual([]);
    setting.net.runUntilIdle();
    expect(setting.ended).toMatchObject([{ repeats: 1, error: undefined }]);
  });

  it('takes the same request for a late copy while its client is active, and for a new one later', () => {
    const setting = setup({ singlePort, files: { f: patterned(600) } });
    const { send, heard, tid } = rawClient(setting);
    const port = singlePort ? '69' : 'tid';
    send(rrq());
    send(encodeAck(1), tid());
    expect(send(rrq())).toEqual([]);
    setting.net.advance(1500);
    expect(heard).toEqual([`${port} DATA block 2, 88 bytes`]);
    expect(send(rrq())).toEqual([`${port} DATA block 1, 512 bytes`]);
  });

  it('takes a late copy of a write request for no second upload', () => {
    const setting = setup({ singlePort });
    const { send, tid } = rawClient(setting);
    send(wrq());
    expect(send(encodeData(1, patterned(3)), tid())).toHaveLength(1);
    expect(send(wrq())).toEqual([]);
    setting.net.advance(1500);
    expect(send(wrq())).toEqual(['69 ERROR 6 "the file exists"']);
  });

  it('answers a lost last ACK of an upload again, then lets go', () => {
    const setting = setup({ singlePort });
    const { send, tid } = rawClient(setting);
    send(wrq());
    const last = encodeData(1, patterned(3));
    expect(send(last, tid())).toHaveLength(1);
    setting.net.advance(7900);
    expect(send(last, tid())).toHaveLength(1);
    setting.net.advance(1000);
    expect(send(last, singlePort ? 69 : tid())).toEqual(
      singlePort ? ['69 ERROR 5 "unknown transfer ID"'] : [],
    );
  });

  it('ends all transfers when it closes', () => {
    const setting = setup({ singlePort, files: { f: patterned(600) } });
    const { send, heard } = rawClient(setting);
    send(rrq());
    setting.server.close();
    setting.net.runUntilIdle();
    expect(heard.at(-1)).toMatch(/ERROR 0 "the server stops"$/);
    expect(setting.serverHost.openSockets).toBe(0);
    expect(setting.net.pendingTimers).toBe(0);
    setting.server.close();
  });
});

describe('TftpServer', () => {
  it('grants options within its limits and announces the size', async () => {
    const limits = { maxBlksize: 1000, maxWindowsize: 8 };
    const { get } = setup({ files: { f: patterned(3000) }, limits });
    const options = { blksize: 8192, windowsize: 64, timeout: 2, tsize: 0 };
    const { granted, blocks } = await get({ options });
    expect(granted).toEqual({ blksize: 1000, windowsize: 8, timeout: 2, tsize: 3000 });
    expect(blocks).toBe(4);
  });

  it.each([
    [{ blksize: '7' }, 'DATA block 1, 100 bytes'],
    [{ blksize: 'x', windowsize: '0', timeout: '256', tsize: '-1' }, 'DATA block 1, 100 bytes'],
    [{ unknown: '1' }, 'DATA block 1, 100 bytes'],
    [{ blksize: '65465' }, 'OACK blksize=65464'],
    [{ blksize: '65464', windowsize: '64' }, 'OACK blksize=65464 windowsize=16'],
    [{ unknown: '1', TSIZE: '0' }, 'OACK tsize=100'],
  ])('reads the options %j as %s', (options, answer) => {
    const { send } = rawClient(setup({ files: { f: patterned(100) } }));
    expect(send(rrq('f', options))).toEqual([`tid ${answer}`]);
  });

  it('does not announce the size of a text that grows on the wire', () => {
    const { send } = rawClient(setup({ files: { f: Buffer.from('a\n') } }));
    const packet = encodeRequest(Opcode.rrq, 'f', 'netascii', { tsize: '0' });
    expect(send(packet)).toEqual(['tid DATA block 1, 3 bytes']);
  });

  it('translates netascii both ways', async () => {
    const text = Buffer.from('line\nline\r\nend'.repeat(200));
    const { get, put, store } = setup({ files: { f: text } });
    const { content, bytes } = await get({ mode: 'netascii' });
    expect(content).toEqual(text);
    expect(bytes).toBeGreaterThan(text.length);
    await put(text, { mode: 'netascii', file: 'new' });
    expect(Buffer.from(store.files.get('new') ?? [])).toEqual(text);
  });

  it.each([
    ['a file that is not there', rrq('other'), 'ERROR 1 "no such file"'],
    ['a name that is taken', wrq('f'), 'ERROR 6 "the file exists"'],
    ['too large a file', wrq('new', { tsize: '1001' }), 'ERROR 3 "the file is too large"'],
    ['mail', encodeRequest(Opcode.wrq, 'f', 'mail'), 'ERROR 4 "mail mode is not served"'],
    ['an unknown mode', encodeRequest(Opcode.rrq, 'f', 'binary'), 'ERROR 4 "unknown transfer mode"'],
    ['a request without an end', Uint8Array.of(0, 1, 65), 'ERROR 4 "file name without an end"'],
    ['DATA for no transfer', encodeData(1, patterned(3)), 'ERROR 5 "unknown transfer ID"'],
    ['no TFTP at all', Buffer.from('GET / HTTP/1.1'), 'ERROR 4 "not a TFTP packet"'],
  ])('answers %s', (_, packet, answer) => {
    const setting = setup({ files: { f: patterned(10) }, storeOptions: { maxFileSize: 1000 } });
    expect(rawClient(setting).send(packet)).toEqual([`69 ${answer}`]);
    setting.net.runUntilIdle();
    expect(setting.serverHost.openSockets).toBe(1);
  });

  it('never answers an ERROR', () => {
    const { send } = rawClient(setup());
    expect(send(encodeError(0, 'hello'))).toEqual([]);
  });

  it('gives up an upload that grows too large, and keeps nothing of it', async () => {
    const { put, store, ended } = setup({ storeOptions: { maxFileSize: 1000 } });
    await expect(put(patterned(2000))).rejects.toMatchObject({ remoteCode: 3 });
    expect(store.files.size).toBe(0);
    expect(ended).toMatchObject([{ error: { code: 'TLB_ERR_TFTP_STORE' } }]);
  });

  it('keeps nothing of an upload that its client ends or abandons', () => {
    const setting = setup();
    const { send, tid } = rawClient(setting);
    send(wrq('a'));
    send(encodeData(1, patterned(512)), tid());
    expect(send(encodeError(0, 'no more'), tid())).toEqual([]);
    send(wrq('b'));
    send(encodeData(1, patterned(512)), tid());
    setting.net.runUntilIdle();
    expect(setting.store.files.size).toBe(0);
    expect(setting.ended).toMatchObject([
      { file: 'a', error: { code: 'TLB_ERR_TFTP_REMOTE' } },
      { file: 'b', error: { code: 'TLB_ERR_TFTP_TIMEOUT' } },
    ]);
  });

  it('lets the first of two uploads of one name win', () => {
    const setting = setup();
    const first = rawClient(setting);
    const second = rawClient(setting);
    first.send(wrq());
    second.send(wrq());
    expect(first.send(encodeData(1, patterned(3)), first.tid())).toEqual(['tid ACK block 1']);
    expect(second.send(encodeData(1, patterned(4)), second.tid())).toEqual(['tid ERROR 6 "the file exists"']);
    expect(setting.store.files.get('f')).toEqual(patterned(3));
  });

  it('replaces a file where that is allowed', async () => {
    const { put, store } = setup({ files: { f: patterned(3) }, storeOptions: { overwrite: true } });
    await put(patterned(5));
    expect(store.files.get('f')).toEqual(patterned(5));
  });

  it('gives strangers on a TID ERROR 5', () => {
    const setting = setup({ files: { f: patterned(600) } });
    const client = rawClient(setting);
    const stranger = rawClient(setting);
    client.send(rrq());
    expect(stranger.send(encodeAck(1), client.tid())).toEqual(['tid ERROR 5 "unknown transfer ID"']);
    expect(stranger.send(encodeError(0, 'x'), client.tid())).toEqual([]);
    expect(client.send(encodeAck(1), client.tid())).toEqual(['tid DATA block 2, 88 bytes']);
  });

  it('refuses more transfers than it is to have', () => {
    const setting = setup({ files: { f: patterned(600) }, maxTransfers: 1 });
    const first = rawClient(setting);
    const second = rawClient(setting);
    first.send(rrq());
    expect(second.send(rrq())).toEqual(['69 ERROR 0 "too many transfers"']);
    first.send(encodeError(0, 'enough'), first.tid());
    expect(second.send(rrq())).toEqual(['tid DATA block 1, 512 bytes']);
  });

  it('dallies as long as it is told to', () => {
    const setting = setup({ dally: 50 });
    const { send, tid } = rawClient(setting);
    send(wrq());
    send(encodeData(1, patterned(3)), tid());
    setting.net.advance(60);
    expect(setting.serverHost.openSockets).toBe(1);
  });

  it('lets more uploads be over than may run, but not for ever', () => {
    const setting = setup({ maxTransfers: 2 });
    for (const file of ['a', 'b', 'c', 'd']) {
      const { send, tid } = rawClient(setting);
      send(wrq(file));
      expect(send(encodeData(1, patterned(3)), tid())).toEqual(['tid ACK block 1']);
    }
    expect(setting.serverHost.openSockets).toBe(1 + 2);
  });

  it('lets go of the file where no TID can be had', () => {
    const released: string[] = [];
    const store: Store = {
      openRead: () => ({ ...fileOf(patterned(9)), close: () => released.push('closed') }),
      openWrite: () => ({ write: () => true, end: () => {}, discard: () => released.push('discarded') }),
    };
    const setting = setup({ store });
    setting.serverHost.descriptorLimit = 1;
    const { send } = rawClient(setting);
    expect(send(rrq())).toEqual(['69 ERROR 0 "the server cannot serve this now"']);
    expect(send(wrq())).toEqual(['69 ERROR 0 "the server cannot serve this now"']);
    expect(released).toEqual(['closed', 'discarded']);
    setting.serverHost.descriptorLimit = 2;
    expect(send(rrq())).toEqual(['tid DATA block 1, 9 bytes']);
    setting.net.runUntilIdle();
    expect(released).toEqual(['closed', 'discarded', 'closed']);
  });

  it('serves the newest request of a client port, on one port', () => {
    const setting = setup({ singlePort: true, files: { f: patterned(600), g: patterned(20) } });
    const { send } = rawClient(setting);
    send(rrq('f'));
    expect(send(rrq('g'))).toEqual(['69 DATA block 1, 20 bytes']);
    expect(send(encodeAck(1))).toEqual([]);
    setting.net.runUntilIdle();
    expect(setting.ended).toMatchObject([
      { file: 'f', error: { code: 'TLB_ERR_TFTP_ABORTED' } },
      { file: 'g', error: undefined },
    ]);
  });

  it('serves two requests of one client port side by side, on TIDs', () => {
    const setting = setup({ files: { f: patterned(600), g: patterned(20) } });
    const { send, tid } = rawClient(setting);
    send(rrq('f'));
    const first = tid();
    send(rrq('g'));
    send(encodeAck(1), tid());
    expect(send(encodeAck(1), first)).toEqual(['tid DATA block 2, 88 bytes']);
  });

  it('waits as long between repeats as the client asked for', () => {
    const setting = setup({ files: { f: patterned(10) } });
    const { send, heard } = rawClient(setting);
    send(rrq('f', { timeout: '7' }));
    setting.net.advance(6990);
    expect(heard).toHaveLength(1);
    setting.net.advance(20);
    expect(heard).toHaveLength(2);
  });

  it('traces both directions', () => {
    const lines: string[] = [];
    const setting = setup({
      files: { f: patterned(1) },
      trace: (direction, packet) => lines.push(`${direction} ${describePacket(packet)}`),
    });
    const { send, tid } = rawClient(setting);
    send(rrq());
    send(encodeAck(1), tid());
    expect(lines).toEqual(['received RRQ "f" octet', 'sent DATA block 1, 1 bytes', 'received ACK block 1']);
  });
});
