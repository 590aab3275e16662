/**
 * Uploads under TLS that end in every way, at random places, some while the server has stopped reading. Most servers
 * here are as careless as they can be: they take a FIN on their leg for the end of a file. So what they call broken was
 * reset. With TLS 1.3 OpenSSL hides resets right behind a handshake from such a server, so that one is strict.
 */
import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSeededRandom } from '../../src/net/memory-random.ts';
import { cleanUp } from '../helpers/clean-up.ts';
import { CutWire } from '../helpers/cut-wire.ts';
import { noise } from '../helpers/folders.ts';
import { sessionPids } from '../helpers/ftp-daemons.ts';
import { startDoomed } from '../helpers/ftps-doomed.ts';
import type { LedOptions } from '../helpers/ftps-led.ts';
import { FtpsScene, type Lane } from '../helpers/ftps-scene.ts';
import { lacks } from '../helpers/peers.ts';
import { still, whileStopped } from '../helpers/pressure.ts';
import { until } from '../helpers/processes.ts';
import { startSecure } from '../helpers/secure-ftp.ts';
import { firstSeed } from '../soak/budget.ts';

/** TFTPLB_SOAK_SEED has the places of an earlier run. */
const seed = firstSeed();
const payload = noise(14 * 2 ** 20);
/** Bytes: more than a record can hold. */
const overhang = 20_000;

afterAll(cleanUp);

interface Upload {
  readonly name: string;
  readonly size: number;
  /** The server has stopped reading by its end. */
  readonly isPressed: boolean;
  /** Of the last record only a part goes out. */
  readonly isTorn: boolean;
}

/** A hundred. One in ten ends right behind the handshake; one in five has filled the buffers on the way, or nearly. */
function drawUploads(prefix: string, isWhole = false): Upload[] {
  const random = createSeededRandom(seed);
  return Array.from({ length: 100 }, (_, run) => {
    const isPressed = run % 5 === 4;
    const [least, most] = isPressed ? [20, 23.7] : [0, 22];
    const size = run % 10 === 0 ? 0 : Math.floor(2 ** (least + random() * (most - least)));
    return { name: `${prefix}-${run}`, size, isPressed, isTorn: random() < 0.5 && !isWhole };
  });
}

/** What the client, the log and the server think of an upload. */
const whole = 'heard 226, logged ok 226, believed';
const broken = 'heard 426, logged client-reset 426, not believed';

interface Ending {
  readonly name: string;
  readonly verdicts: readonly string[];
  readonly end: (tls: TLSSocket, wire: CutWire, size: number) => unknown;
}

const endings: readonly Ending[] = [
  { name: 'close_notify', verdicts: [whole], end: (tls) => tls.end() },
  {
    name: 'part of a close_notify',
    verdicts: [broken],
    end: (tls, wire, size) => {
      wire.cutAfter(1 + (size % 23));
      tls.end();
    },
  },
  {
    name: 'FIN',
    verdicts: [broken],
    end: (_, wire) => {
      wire.cutAfter(0);
      wire.raw.end();
    },
  },
  { name: 'reset', verdicts: [broken], end: (_, { raw }) => raw.resetAndDestroy() },
  {
    // It overtakes what was not read yet.
    name: 'close_notify and a reset',
    verdicts: [whole, broken],
    end: (tls, wire) => {
      wire.once('finish', () => wire.raw.resetAndDestroy());
      tls.end();
    },
  },
];

/** Resolves to the code that the client hears. */
async function upload(
  { client, pids }: Lane,
  { name, size, isPressed, isTorn }: Upload,
  end: Ending['end'],
): Promise<string> {
  const { tls, wire } = await client.begin(`STOR ${name}`);
  if (isTorn) wire.cutAfter(size);
  await whileStopped(isPressed ? pids : [], async () => {
    const content = payload.subarray(0, isTorn ? size + overhang : size);
    const written = new Promise((resolve) => tls.write(content, resolve));
    await (isPressed ? still(() => wire.sent) : written);
    end(tls, wire, size);
  });
  return client.reply();
}

/** Makes them one after the other, and adds what is heard of each. */
async function uploadAll(
  scene: FtpsScene,
  version: LedOptions['maxVersion'],
  uploads: readonly Upload[],
  end: Ending['end'],
  heard: Map<string, string>,
): Promise<void> {
  let lane: Lane | undefined;
  for (const next of uploads) {
    // A server whose handshake was broken ends the session.
    lane = await scene.login(version, lane);
    const code = await upload(lane, next, end);
    const file = path.join(scene.server.root, next.name);
    const isSame = code !== '226' || readFileSync(file).equals(payload.subarray(0, next.size));
    heard.set(next.name, isSame ? code : `${code} in vain`);
    rmSync(file);
  }
  lane?.client.close();
}

/** What is thought of each. Waits until all sessions have ended. */
async function judge(
  scene: FtpsScene,
  uploads: readonly { readonly name: string }[],
  heard: ReadonlyMap<string, string>,
): Promise<string[]> {
  const { logged, believed } = await scene.verdicts(uploads);
  return uploads.map(({ name }, at) => {
    const belief = believed[at] === true ? 'believed' : 'not believed';
    return `heard ${heard.get(name)}, logged ${logged[at]}, ${belief}`;
  });
}

/** When a process is killed that has many uploads under way. Together they are a hundred. */
const deaths = [
  {
    when: 'while it writes',
    cue: 'writing',
    isPressed: false,
    isFor: ({ isPressed }: Upload, run: number) => !isPressed && run % 2 === 0,
  },
  {
    when: 'when it has nothing to say',
    cue: 'still',
    isPressed: false,
    isFor: ({ isPressed }: Upload, run: number) => !isPressed && run % 2 === 1,
  },
  {
    when: 'while the server does not read',
    cue: 'still',
    isPressed: true,
    isFor: ({ isPressed }: Upload) => isPressed,
  },
] as const;

const scenes = [
  { version: 'TLSv1.2', leg: 'TLS 1.2', flag: 'private', tls: { version: '1.2', isLenient: true } },
  { version: 'TLSv1.3', leg: 'TLS 1.3', flag: 'private', tls: {} },
  { version: 'TLSv1.2', leg: 'clear', flag: 'clear', tls: { isLenient: true } },
  { version: 'TLSv1.3', leg: 'clear', flag: 'clear', tls: { isLenient: true } },
] as const;

describe.skipIf(lacks('vsftpd')).each(scenes)('$version to a server by $leg', ({ version, flag, tls }) => {
  let scene: FtpsScene;

  beforeAll(async () => {
    scene = await FtpsScene.start(await startSecure('vsftpd', tls), `--backend-data-tls=${flag}`);
  });

  afterAll(() => scene.stop());

  test.for(endings)('uploads that end by a $name', { timeout: 120_000 }, async ({ name, verdicts, end }) => {
    const uploads = drawUploads(name.replaceAll(' ', '-'), verdicts.includes(whole));
    const lanes = [0, 1, 2, 3].map((lane) => uploads.filter((_, run) => run % 4 === lane));
    const heard = new Map<string, string>();
    await Promise.all(lanes.map((some) => uploadAll(scene, version, some, end, heard)));
    const found = await judge(scene, uploads, heard);
    const lies = found.flatMap((verdict, at) =>
      verdicts.includes(verdict) ? [] : [`${uploads[at]?.name}, ${uploads[at]?.size} bytes: ${verdict}`],
    );
    expect(lies, `seed ${seed}`).toEqual([]);
  });

  test.for(deaths)('uploads of a client that is killed $when', { timeout: 120_000 }, async (death) => {
    const uploads = drawUploads('killed').filter((upload, run) => death.isFor(upload, run));
    const { listener } = scene.balancer;
    const client = startDoomed({ ...scene.server, listener, options: scene.options(version), uploads });
    const says = (line: string): Promise<boolean> =>
      until(line, () => client.stdout.includes(line) || undefined);
    await says('open');
    await whileStopped(death.isPressed ? sessionPids(scene.server) : [], async () => {
      client.signal('SIGUSR2');
      await says(death.cue);
      client.signal('SIGKILL');
      await client.ended;
    });
    const { logged, believed } = await scene.verdicts(uploads);
    // Which of its connections is found broken first is a matter of chance.
    const lies = logged.filter(
      (result, at) => believed[at] === true || !/^client-(?:reset|lost) /.test(result),
    );
    expect(lies, `seed ${seed}`).toEqual([]);
  });
});

/** Ends a data connection within the first thing that it says. Resolves to the code that the client hears. */
async function cutHandshake({ client }: Lane, name: string, length: number): Promise<string> {
  const wire = new CutWire(await client.passive());
  wire.cutAfter(length);
  client.control.write(`STOR ${name}\r\n`);
  void client.tlsOn(wire).catch(() => undefined);
  await until('that much was sent', () => wire.sent === length || undefined);
  wire.raw.end();
  const code = await client.reply();
  return code === '150' ? client.reply() : code;
}

describe.skipIf(lacks('vsftpd'))('where a FIN may be the end of an upload', () => {
  let scene: FtpsScene;

  beforeAll(async () => {
    const backend = await startSecure('vsftpd', { version: '1.2', isLenient: true });
    scene = await FtpsScene.start(backend, '--tls-eof=lenient');
  });

  afterAll(() => scene.stop());

  const expected = [
    ['FIN', whole],
    ['reset', broken],
  ] as const;

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('%s', (version) => {
    test.for(expected)('a %s counts for what it is', async ([kind, verdict]) => {
      const end = endings.find(({ name }) => name === kind)?.end;
      if (end === undefined) throw new Error(`nothing ends by a ${kind}`);
      const sizes = [0, 1, 16_384, 3_000_000];
      const uploads = sizes.map((size) => ({
        name: `${version}-${kind}-${size}`,
        size,
        isPressed: false,
        isTorn: false,
      }));
      const heard = new Map<string, string>();
      await uploadAll(scene, version, uploads, end, heard);
      expect(await judge(scene, uploads, heard)).toEqual(sizes.map(() => verdict));
    });

    test('a handshake that was broken off is no empty file', async () => {
      const uploads = [0, 1, 5, 100].map((length) => ({ name: `${version}-hello-${length}`, length }));
      const heard = new Map<string, string>();
      let lane: Lane | undefined;
      for (const { name, length } of uploads) {
        lane = await scene.login(version, lane);
        heard.set(name, await cutHandshake(lane, name, length));
      }
      lane?.client.close();
      expect(await judge(scene, uploads, heard)).toEqual(uploads.map(() => broken));
    });
  });
});
