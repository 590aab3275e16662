/** What the balancer does to requests, and how it goes on when a server is of no help. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { afterAll, expect, test } from 'vitest';
import { RemoteError } from '../../src/tftp/errors.ts';
import { encodeData, encodeRequest, Opcode } from '../../src/tftp/packet.ts';
import { startBalancer } from '../helpers/balancer.ts';
import { fetchFile, startEmbedded } from '../helpers/embedded.ts';
import { noise } from '../helpers/folders.ts';
import { stopAll, until } from '../helpers/processes.ts';
import { HeldDownload, UdpPeer } from '../helpers/udp-peer.ts';
import { runTftpLb } from './cli.ts';
import { describeFlags } from './flags.ts';

const image = noise(5_000);
const request = encodeRequest(Opcode.rrq, 'image', 'octet');

afterAll(stopAll);

/** The options of a request, sent as they are, as the server behind a balancer with these flags gets them. */
async function forwarded(
  options: Readonly<Record<string, string>>,
  ...flags: readonly string[]
): Promise<Readonly<Record<string, string>> | undefined> {
  const server = startEmbedded({ image });
  const { listener } = await startBalancer([server], { flags });
  const client = await UdpPeer.open();
  client.send(encodeRequest(Opcode.rrq, 'image', 'octet', options), listener);
  await client.next();
  return server.requests[0]?.options;
}

/** For each address of this host, those apart that need a zone, the block size that fits its interface. */
function fittingSizes(): Record<string, string> {
  const sizes = Object.entries(networkInterfaces()).flatMap(([device, infos = []]) => {
    const mtu = Number(readFileSync(`/sys/class/net/${device}/mtu`, 'utf8'));
    const global = infos.filter(({ address }) => !address.startsWith('fe80:'));
    return global.map(({ address, family }): [string, string] => {
      const size = Math.min(65_464, mtu - (family === 'IPv4' ? 32 : 52));
      return [address, String(size)];
    });
  });
  return Object.fromEntries(sizes);
}

/** How a download ended: `ok`, or the code of the ERROR. */
async function outcome(download: Promise<unknown>): Promise<string> {
  try {
    await download;
    return 'ok';
  } catch (error) {
    if (error instanceof RemoteError) return `ERROR ${error.remoteCode}`;
    throw error;
  }
}

describeFlags('TFTP', {
  policy: () => {
    const files = { image, kernel: image, menu: image };

    test.each([
      ['round-robin', 'b1 b0 b1'],
      ['least-sessions', 'b1 b1 b1'],
      ['two-choices', 'b1 b1 b1'],
      ['first', 'b0 b0 b0'],
    ])('%s: behind a download that b0 still serves, three others go to %s', async (policy, expected) => {
      const servers = [startEmbedded(files), startEmbedded(files)];
      const balancer = await startBalancer(servers, { flags: [`--policy=${policy}`] });
      await HeldDownload.begin(balancer.listener, 'image');
      for (let ended = 1; ended <= 3; ended += 1) {
        await fetchFile(balancer.listener, 'image');
        await balancer.ended(ended);
      }
      expect(
        balancer
          .sessions()
          .map(({ backend }) => backend)
          .join(' '),
      ).toBe(expected);
    });

    test.each([
      ['source-hash', 'client'],
      ['file-hash', 'file'],
    ] as const)('%s: downloads go to the same server if they are of the same %s', async (policy, key) => {
      const servers = [startEmbedded(files), startEmbedded(files)];
      const balancer = await startBalancer(servers, { flags: [`--policy=${policy}`] });
      for (const from of ['127.0.0.1', '127.0.0.2', '127.0.0.3']) {
        for (const file of Object.keys(files)) {
          await (await HeldDownload.begin(balancer.listener, file, from)).finish();
        }
      }
      const sessions = await balancer.ended(9);
      const pairs = new Set(sessions.map(({ backend, ...said }) => `${said[key].split(':')[0]} ${backend}`));
      expect(pairs.size).toBe(3);
      expect(new Set(sessions.map(({ backend }) => backend))).toEqual(new Set(['b0', 'b1']));
    });
  },

  maxBlksize: () => {
    test('lowers what is above it and nothing else', async () => {
      const server = startEmbedded({ image });
      const { listener } = await startBalancer([server], { flags: ['--max-blksize=1024'] });
      for (const [asked, granted] of [
        [1428, 1024],
        [1024, 1024],
        [600, 600],
      ] as const) {
        const fetched = await fetchFile(listener, 'image', { blksize: asked });
        expect(fetched).toMatchObject({ bytes: image, granted: { blksize: granted } });
      }
    });

    test('may be auto, what fits the interface of the VIP', async () => {
      const sizes = fittingSizes();
      const server = startEmbedded({ image });
      const options = { vips: Object.keys(sizes), flags: ['--max-blksize=auto'] };
      const { listeners } = await startBalancer([server], options);
      for (const listener of listeners) {
        const client = await UdpPeer.open(listener.address);
        const large = { blksize: '65535' };
        client.send(encodeRequest(Opcode.rrq, listener.address, 'octet', large), listener);
        await client.next();
      }
      const seen = server.requests.map(({ file, options: asked }) => [file, asked['blksize']]);
      expect(Object.fromEntries(seen)).toEqual(sizes);
    });
  },

  maxWindowsize: () => {
    test('lowers what is above it and nothing else', async () => {
      const server = startEmbedded({ image });
      const { listener } = await startBalancer([server], { flags: ['--max-windowsize=4'] });
      for (const [asked, granted] of [
        [16, 4],
        [4, 4],
        [2, 2],
      ] as const) {
        const fetched = await fetchFile(listener, 'image', { windowsize: asked });
        expect(fetched).toMatchObject({ bytes: image, granted: { windowsize: granted } });
      }
    });
  },

  stripMulticast: () => {
    const options = { blksize: '65535', multicast: '', windowsize: '65535' };

    test('removes the option by default, when nothing else is edited', async () => {
      expect(await forwarded(options)).toEqual({ blksize: '65535', windowsize: '65535' });
    });

    test('lets it pass with --no-strip-multicast', async () => {
      expect(await forwarded(options, '--no-strip-multicast')).toEqual(options);
    });
  },

  retryNotFound: () => {
    test.each([
      [[], ['ERROR 1', 'ok']],
      [['--retry-not-found'], ['ok', 'ok']],
    ])('with %j, two downloads of a file that one of two servers has: %j', async (flags, outcomes) => {
      const { listener } = await startBalancer([startEmbedded(), startEmbedded({ image })], { flags });
      const downloads = [
        await outcome(fetchFile(listener, 'image')),
        await outcome(fetchFile(listener, 'image')),
      ];
      expect(downloads.toSorted()).toEqual(outcomes);
    });

    test('says so when none has it', async () => {
      const servers = [startEmbedded(), startEmbedded()];
      const { listener } = await startBalancer(servers, { flags: ['--retry-not-found'] });
      expect(await outcome(fetchFile(listener, 'image'))).toBe('ERROR 1');
      expect(servers.map(({ requests }) => requests.length)).toEqual([1, 1]);
    });
  },

  transparent: () => {
    // What servers see with it is tested where there are several hosts.
    test('is refused where the portable engine serves', async () => {
      const flags = ['--vip=127.0.0.1', '--no-ftp', '--tftp-port=0', '--backend=127.0.0.1:9', '--no-admin'];
      const { code, stderr } = await runTftpLb([...flags, '--transparent', '--engine=portable']);
      expect(code).toBe(2);
      expect(stderr).toBe(
        'tftp-lb: --transparent needs the linux engine, and this is the portable one: it was asked for\n',
      );
    });
  },

  backendAnyAddress: () => {
    test.each([
      [[], '127.0.0.1'],
      [['--backend-any-address'], '127.0.0.2'],
    ])(
      'with %j, a server is heard that answers first from its other address, then from its own: %s',
      async (flags, heard) => {
        const [server, otherAddress, client] = await Promise.all([
          UdpPeer.open(),
          UdpPeer.open('127.0.0.2'),
          UdpPeer.open(),
        ]);
        const balancer = await startBalancer([server], { flags });
        client.send(request, balancer.listener);
        const { from } = await server.next();
        otherAddress.send(encodeData(1, Buffer.from('127.0.0.2')), from);
        if (heard === server.address) {
          await until(
            'it is dropped',
            async () => (await balancer.drops('foreign-backend')) === 1 || undefined,
          );
          server.send(encodeData(1, Buffer.from('127.0.0.1')), from);
        }
        expect((await client.next()).data.subarray(4).toString()).toBe(heard);
      },
    );
  },

  tryInterval: () => {
    test('is how long a server may be silent before another one is asked', async () => {
      const [silent, server] = [await UdpPeer.open(), startEmbedded({ image })];
      const balancer = await startBalancer([silent, server], { flags: ['--try-interval=100ms'] });
      for (let at = 0; at < 2; at += 1) await fetchFile(balancer.listener, 'image');
      const sessions = await balancer.ended(2);
      expect(sessions.map(({ backend, result }) => `${backend} ${result}`)).toEqual(['b1 ok', 'b1 ok']);
      expect(silent.received.map(({ data }) => data)).toEqual([Buffer.from(request)]);
    });

    test('is how often a repeated request is sent on', async () => {
      const [silent, client] = await Promise.all([UdpPeer.open(), UdpPeer.open()]);
      const { listener } = await startBalancer([silent], { flags: ['--try-interval=10ms'] });
      const timer = setInterval(() => client.send(request, listener), 20);
      await until('so many came through', () => silent.received.length > 20 || undefined);
      clearInterval(timer);
    });
  },

  idleTimeout: () => {
    test('is how long a transfer may stand still', async () => {
      const server = startEmbedded({ image });
      const balancer = await startBalancer([server], { flags: ['--idle-timeout=1s'] });
      await HeldDownload.begin(balancer.listener, 'image');
      const [session] = await balancer.ended(1);
      expect(session).toMatchObject({ result: 'timeout', level: 'warn', msg: 'transfer failed', blocks: 1 });
    });
  },
});
