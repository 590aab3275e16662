import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { fileOf, type FtpLoad, sink } from '../../../bench/ftp-messages.ts';
import { loopback } from '../../../bench/messages.ts';
import { FtpCrowd } from '../../../bench/wire/ftp-crowd.ts';
import { createNodeNet } from '../../../src/net/node-net.ts';
import { FtpServer, say } from '../../helpers/ftp-server.ts';

let server: FtpServer;
let port: number;
const crowds: FtpCrowd[] = [];

beforeEach(async () => {
  server = new FtpServer(createNodeNet(), 'bench');
  server.handlers['APPE'] = (session, name) => server.handlers['STOR']?.(session, name);
  ({ port } = await server.listen({ address: loopback, port: 0 }));
});

afterEach(() => {
  server.close();
  for (const crowd of crowds.splice(0)) crowd.destroy();
});

function start(load: FtpLoad): FtpCrowd {
  const crowd = new FtpCrowd(port, load);
  crowds.push(crowd);
  return crowd;
}

/** How often each verb was heard, in all sessions. */
function heard(): Record<string, number> {
  const verbs = server.sessions.flatMap((session) => session.heard.map((line) => line.split(' ')[0] ?? ''));
  return Object.fromEntries(
    [...new Set(verbs)].map((verb) => [verb, verbs.filter((v) => v === verb).length]),
  );
}

/** Refuses the first so many logins. */
function refuse(times: number): void {
  let refused = 0;
  server.handlers['PASS'] = (session) => {
    if (refused++ < times) session.control.end();
    else session.say('230 welcome');
  };
}

const bytes = 1_500_000;
const download: FtpLoad = { kind: 'download', sessions: 2, files: 3, bytes };
const upload: FtpLoad = { kind: 'upload', sessions: 2, files: 1, bytes };

describe('downloads', () => {
  test('are made by sessions that have logged in before, each as many as it is told to', async () => {
    server.files.set(fileOf(bytes), new Uint8Array(bytes));
    const crowd = start(download);
    await crowd.open();
    expect(heard()).toEqual({ USER: 2, PASS: 2, TYPE: 2 });
    await crowd.run();
    expect(heard()).toMatchObject({ EPSV: 6, RETR: 6 });
    await crowd.close();
    expect(heard()).toMatchObject({ QUIT: 2 });
  });

  test('succeed whatever form the replies have', async () => {
    server.files.set(fileOf(bytes), new Uint8Array(bytes));
    server.isBytewise = true;
    server.greeting = '220-welcome\r\n  to all\r\n220 ready';
    const crowd = start(download);
    await crowd.open();
    await crowd.run();
  });

  test('fail where less arrives than is expected', async () => {
    server.files.set(fileOf(bytes), new Uint8Array(bytes - 1));
    const crowd = start(download);
    await crowd.open();
    await expect(crowd.run()).rejects.toThrow(`${bytes - 1} bytes arrived instead of ${bytes}`);
  });

  test('fail where the server says that they have', async () => {
    const crowd = start(download);
    await crowd.open();
    await expect(crowd.run()).rejects.toThrow(`expected 150 to RETR ${bytes}, not "550 no such file"`);
  });

  test('fail where the server closes the session', async () => {
    server.handlers['RETR'] = (session) => session.control.end();
    const crowd = start(download);
    await crowd.open();
    await expect(crowd.run()).rejects.toThrow('the control connection was closed');
  });
});

describe('uploads', () => {
  test('send as much as they are told to', async () => {
    const crowd = start(upload);
    await crowd.open();
    await crowd.run();
    expect(server.files.get(sink)?.length).toBe(bytes);
    expect(heard()).toMatchObject({ EPSV: 2, APPE: 2 });
  });

  test('fail where the server says that they have', async () => {
    server.handlers['APPE'] = async (session) => {
      session.say('150 go on');
      const data = await session.data();
      const onEnd = (): void => {
        data.end();
        session.say('552 full');
      };
      data.handle({ onData: () => undefined, onEnd, onDrain: () => undefined, onClose: () => undefined });
    };
    const crowd = start(upload);
    await crowd.open();
    await expect(crowd.run()).rejects.toThrow('expected 226 to APPE, not "552 full"');
  });
});

test('logins are as many as wanted, and no more than so many at a time', async () => {
  let [present, most] = [0, 0];
  const leave = server.handlers['QUIT'];
  server.handlers['USER'] = (session) => {
    present += 1;
    most = Math.max(most, present);
    session.say('331 password?');
  };
  server.handlers['QUIT'] = (session, argument) => {
    present -= 1;
    leave?.(session, argument);
  };
  const crowd = start({ kind: 'logins', sessions: 3, logins: 10 });
  await crowd.open();
  expect(server.sessions).toEqual([]);
  await crowd.run();
  expect(heard()).toEqual({ USER: 10, PASS: 10, QUIT: 10 });
  expect(most).toBe(3);
});

describe('a session that is refused', () => {
  test('is opened anew, which is counted', async () => {
    refuse(7);
    const crowd = start({ kind: 'idle', sessions: 5 });
    await crowd.open();
    expect([crowd.faults, heard()]).toEqual([
      { repeats: 7, errors: 0 },
      { USER: 12, PASS: 12, TYPE: 5 },
    ]);
  });

  test('fails the load if it always is', async () => {
    server.handlers['PASS'] = say('530 no');
    const crowd = start({ kind: 'idle', sessions: 20 });
    await expect(crowd.open()).rejects.toThrow('expected 230 to PASS bench, not "530 no"');
  });

  test('is a login that did not succeed', async () => {
    refuse(4);
    const crowd = start({ kind: 'logins', sessions: 2, logins: 10 });
    await crowd.run();
    expect([crowd.faults, heard()]).toEqual([
      { repeats: 0, errors: 4 },
      { USER: 10, PASS: 10, QUIT: 6 },
    ]);
  });
});

test('idle sessions have all logged in, and wait', async () => {
  const crowd = start({ kind: 'idle', sessions: 20 });
  await crowd.open();
  await crowd.run();
  expect(heard()).toEqual({ USER: 20, PASS: 20, TYPE: 20 });
  expect(server.sessions.every(({ events }) => events.length === 0)).toBe(true);
});
