/** Sessions whose backend depends on the user, with their sockets. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { FtpClient } from '../../helpers/ftp-client.ts';
import { type FtpLab, type FtpLabOptions, ftpService, useFtpLab } from '../../helpers/ftp-lab.ts';
import type { FtpServer } from '../../helpers/ftp-server.ts';

const startLab = useFtpLab();
let lab: FtpLab;
let servers: readonly FtpServer[];

async function start(service: FtpLabOptions['service'], backends = 2): Promise<void> {
  ({ lab, servers } = await startLab({ backends, ...(service && { service }) }));
}

/** The replies to USER and PASS. */
async function logIn(user: string, client?: FtpClient): Promise<{ client: FtpClient; replies: string[] }> {
  const session = client ?? (await greeted());
  return { client: session, replies: [await session.ask(`USER ${user}`), await session.ask('PASS secret')] };
}

async function greeted(): Promise<FtpClient> {
  const client = await lab.client();
  expect(await client.line()).toBe('220 Service ready for new user.');
  return client;
}

/** Which server each user has come to, by what these have heard. */
function heardBy(user: string): number[] {
  return servers.flatMap(({ sessions }, at) =>
    sessions.filter(({ heard }) => heard.includes(`USER ${user}`)).map(() => at),
  );
}

const welcome = ['331 password?', '230 welcome'];

describe('user-hash', () => {
  const users = Array.from({ length: 20 }, (_, n) => `user-${n}`);
  beforeEach(() => start({ policy: 'user-hash' }));

  it('has each user always at the same backend, and users at all of them', async () => {
    for (const user of [...users, ...users]) {
      const { client, replies } = await logIn(user);
      expect(replies).toEqual(welcome);
      await client.ask('QUIT');
    }
    const places = users.map(heardBy);
    for (const [first, second, ...more] of places) expect([second, more]).toEqual([first, []]);
    expect(new Set(places.flat())).toEqual(new Set([0, 1]));
    expect(new Set(lab.of('ftp.session.end').map(({ backend, user }) => `${user} ${backend}`)).size).toBe(20);
  });

  it('asks the next backend where the own one refuses', async () => {
    servers[0]?.close();
    for (const user of users) expect((await logIn(user)).replies).toEqual(welcome);
    expect(users.flatMap(heardBy)).toEqual(users.map(() => 1));
    expect(lab.of('backend.suspect')).toMatchObject([{ backend: 'b0', reason: 'refused' }]);
  });

  it('leads another user who is not logged in to another backend, and counts it there', async () => {
    const [first = '', other = ''] = await twoApart();
    const client = await greeted();
    await client.ask(`USER ${first}`);
    const [before] = heardBy(first).slice(-1);
    expect(lab.active()).toEqual(before === 0 ? [1, 0] : [0, 1]);
    expect((await logIn(other, client)).replies).toEqual(welcome);
    await lab.pass(100);
    expect(lab.active()).toEqual(before === 0 ? [0, 1] : [1, 0]);
    expect(lab.scoreboard.activeOf(0)).toBe(1);
    expect(servers[before ?? 0]?.last.events.at(-1)).toBe('clean');
  });

  /** Two users of different backends; nobody is logged in any more. */
  async function twoApart(): Promise<string[]> {
    for (const user of users) await (await logIn(user)).client.ask('QUIT');
    await lab.pass(100);
    return [0, 1].map((at) => users.find((user) => heardBy(user).includes(at)) ?? '');
  }
});

describe('a user map', () => {
  it('has each user at the own backend, whatever the policy', async () => {
    await start({ policy: 'first', userMap: 'joe: b1\nann: b0\njürgen: b1' });
    const wire = Buffer.from('jürgen').toString('latin1');
    for (const user of ['joe', 'ann', wire, 'joe']) expect((await logIn(user)).replies).toEqual(welcome);
    expect(['joe', 'ann', wire].map(heardBy)).toEqual([[1, 1], [0], [1]]);
  });

  it('refuses whom it has not, and says who that was', async () => {
    await start({ userMap: 'joe: b1' });
    const client = await greeted();
    expect(await client.ask('USER eve')).toBe('530 Not logged in.');
    expect(await client.ask('PASS x')).toBe('503 Login with USER first.');
    expect((await logIn('joe', client)).replies).toEqual(welcome);
    expect(lab.of('ftp.refused')).toMatchObject([
      { reason: 'unknown-user', command: 'USER', user: 'eve', backend: '' },
    ]);
    await client.ask('QUIT');
    expect(lab.of('ftp.session.end')).toMatchObject([{ user: 'joe', backend: 'b1', tries: 1 }]);
  });

  it('of subjects knows nobody by name, and nobody without a certificate', async () => {
    await start({ userMap: "joe: b1\n'': b0", userMapKey: 'subject' });
    const client = await greeted();
    for (const user of ['joe', '']) expect(await client.ask(`USER ${user}`)).toBe('530 Not logged in.');
    expect(lab.of('ftp.refused').map(({ reason }) => reason)).toEqual(['unknown-user', 'unknown-user']);
    expect(servers.flatMap(({ sessions }) => sessions)).toEqual([]);
  });

  it('is asked again by a user who has left for want of a host', async () => {
    await start({ userMap: 'joe: b1' });
    const client = await greeted();
    expect(await client.ask('HOST a.example')).toBe('220 Host noted.');
    expect(await client.ask('USER joe')).toMatch(/^530 /);
    expect(await client.ask('REIN')).toMatch(/^220 /);
    expect((await logIn('joe', client)).replies).toEqual(welcome);
    expect([lab.active(), lab.scoreboard.activeOf(0)]).toEqual([[0, 1], 1]);
    expect(heardBy('joe')).toEqual([1]);
  });

  it.each([
    ['refuses', () => servers[1]?.close()],
    ['is draining', () => lab.scoreboard.setEnabled(1, false)],
  ])('has nobody else for a user whose backend %s: 421', async (_, spoil) => {
    await start({ userMap: 'joe: b1\nann: b0' });
    spoil();
    const client = await greeted();
    expect(await client.ask('USER joe')).toMatch(/^421 /);
    expect((await logIn('ann')).replies).toEqual(welcome);
    expect(lab.of('ftp.session.end')).toMatchObject([{ end: 'no-backend', user: 'joe' }]);
  });

  it('asks a backend that is down by its checks all the same', async () => {
    await start({ userMap: 'joe: b1' });
    lab.scoreboard.setUp(1, false);
    expect((await logIn('joe')).replies).toEqual(welcome);
  });

  it('may name a backend that is not there: 421', async () => {
    await start({ userMap: 'joe: b' });
    expect(await (await greeted()).ask('USER joe')).toMatch(/^421 /);
  });

  it('has limits of backends kept', async () => {
    await start({ userMap: 'joe: b1', limits: { total: 0, perClient: 0, perBackend: 1 } });
    await logIn('joe');
    expect(await (await greeted()).ask('USER joe')).toMatch(/^421 /);
  });

  it('may name a host with several addresses: the policy chooses', async () => {
    await start({ policy: 'round-robin', userMap: 'joe: web\nann: other' }, 3);
    const { services } = lab.snapshot();
    const names = ['web@10.1.0.1', 'web@10.1.0.2', 'website'];
    const backends = services[0]?.pool.backends ?? [];
    const named = backends.map(({ index, address, port, weight }, at) => {
      return { index, address, port, weight, name: names[at] ?? '' };
    });
    await lab.engine.update(lab.snapshot({ pool: { backends: named }, userMap: 'joe: web' }));
    for (let n = 0; n < 4; n += 1) await logIn('joe');
    expect(heardBy('joe')).toEqual([0, 0, 1, 1]);
  });

  it('that is replaced counts for the next USER', async () => {
    await start({ userMap: 'joe: b1' });
    const early = await greeted();
    const { client } = await logIn('joe');
    await lab.engine.update(lab.snapshot({ userMap: 'joe: b0\neve: b1' }));
    expect((await logIn('joe', early)).replies).toEqual(welcome);
    expect((await logIn('eve')).replies).toEqual(welcome);
    expect(await client.ask('NOOP')).toBe('200 fine');
    expect(lab.active()).toEqual([1, 2]);
  });

  it('that comes or goes leaves sessions as they began', async () => {
    await start({ policy: 'first' });
    const plain = await lab.client();
    expect(await plain.line()).toBe('220 b0 ready');
    await lab.engine.update(lab.snapshot({ policy: 'first', userMap: 'eve: b1' }));
    expect((await plain.ask('USER joe')).slice(0, 3)).toBe('331');
    const mapped = await greeted();
    await lab.engine.update(lab.snapshot({ policy: 'first' }));
    expect((await logIn('joe', mapped)).replies).toEqual(welcome);
  });
});

describe('a session without a backend', () => {
  it('counts for its service', async () => {
    await start({ policy: 'user-hash', limits: { total: 2, perClient: 0, perBackend: 0 } });
    const [first] = [await greeted(), await greeted()];
    expect([lab.scoreboard.activeOf(0), lab.active()]).toEqual([2, [0, 0]]);
    expect(await (await lab.client()).line()).toBe('421 Too many connections, try again later.');
    await logIn('joe', first);
    expect(lab.scoreboard.activeOf(0)).toBe(2);
    await first?.ask('QUIT');
    expect(lab.scoreboard.activeOf(0)).toBe(1);
    await greeted();
  });

  it('costs no connection to a backend, and ends in time', async () => {
    await start({ policy: 'user-hash' });
    const client = await greeted();
    expect(await client.ask('NOOP')).toBe('200 Nothing done.');
    await lab.pass(ftpService.timing.login);
    expect((await client.line()).slice(0, 3)).toBe('421');
    expect(servers.flatMap(({ sessions }) => sessions)).toEqual([]);
    expect([lab.scoreboard.activeOf(0), lab.balancer.openSockets]).toEqual([0, 2]);
  });
});
