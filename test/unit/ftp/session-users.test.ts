import { describe, expect, it } from 'vitest';
import { bye, closed, Scene, type Step } from './session-scene.ts';

const ours = 'client 220 Service ready for new user.';
const loginFirst = 'client 530 Please login with USER and PASS.';

/** A session whose backend depends on its user. */
function scene(options: ConstructorParameters<typeof Scene>[0] = {}): Scene {
  const scene = new Scene({ isByUser: true, ...options });
  expect(scene.take()).toEqual([ours]);
  return scene;
}

/** Behind the connection to a backend that has to hear CLNT. */
function begun(): Scene {
  return scene().play(
    ['client: CLNT x', 'client 200 Noted.'],
    ['client: USER joe', 'connect joe'],
    ['backend connected'],
  );
}

const toBackend: readonly Step[] = [
  ['client: USER joe', 'connect joe'],
  ['backend connected'],
  ['backend: 220-hello\n220 this is b0', 'greeted', 'backend USER joe'],
  ['backend: 331 password?', 'client 331 password?'],
];
const throughLogin: readonly Step[] = [
  ...toBackend,
  ['client: PASS secret', 'backend PASS secret'],
  ['backend: 230 welcome', 'login joe', 'client 230 welcome'],
];

describe('a session whose backend depends on its user', () => {
  it('is greeted by us, and hears its backend from the reply to USER on', () => {
    const session = scene().play(...throughLogin, ['client: PWD', 'backend PWD']);
    session.play(['backend: 257 "/"', 'client 257 "/"'], ['client: QUIT', 'backend QUIT']);
    session.play(['backend: 221 bye', 'client 221 bye', ...closed('quit')]);
    expect(session.ends).toMatchObject([{ user: 'joe', isLoggedIn: true, tries: 1, commands: 4 }]);
  });

  it('may say all at once', () => {
    scene().play(
      ['client: CLNT x\nUSER joe\nPASS secret\nPWD', 'client 200 Noted.', 'connect joe'],
      ['backend connected'],
      ['backend: 220 hi', 'greeted', 'backend CLNT x'],
      ['backend: 200 ok', 'backend USER joe'],
      ['backend: 331 password?', 'client 331 password?', 'backend PASS secret'],
      ['backend: 230 welcome', 'login joe', 'client 230 welcome', 'backend PWD'],
    );
  });

  const answered: readonly Step[] = [
    ['client: NOOP', 'client 200 Nothing done.'],
    ['client: REIN', ours],
    ['client: AUTH TLS', 'refused unsupported AUTH', 'client 502 Command not implemented.'],
    ['client: PASS x', 'client 503 Login with USER first.'],
    ['client: ACCT x', 'client 503 Login with USER first.'],
    ['client: SYST', 'refused not-logged-in SYST', loginFirst],
    ['client: STAT', 'refused not-logged-in STAT', loginFirst],
    ['client: PASV', 'refused not-logged-in PASV', loginFirst],
    ['client: RETR x', 'refused not-logged-in RETR', loginFirst],
    ['client: SITE HELP', 'refused not-logged-in SITE', loginFirst],
    ['client: XYZZY', 'refused not-logged-in XYZZY', loginFirst],
    ['client: FEAT', 'client 211-Extensions supported:\n MDTM\n REST STREAM\n SIZE\n EPRT\n EPSV\n211 End'],
    ['client: HOST', 'refused malformed HOST', 'client 501 Syntax error in parameters or arguments.'],
    ['client: HOST example.com', 'client 220 Host noted.'],
    ['client: OPTS UTF8 ON', 'client 200 Noted.'],
    ['client: CLNT test', 'client 200 Noted.'],
    ['client: QUIT', 'client 221 Goodbye.', ...closed('quit')],
  ];

  it.each(answered)('before USER is answered to %j', (...step) => {
    scene().play(step as unknown as Step);
  });

  it('is promised nothing in FEAT that is refused', () => {
    const options = { clientModes: 'passive', denied: new Set(['MDTM']), isReadOnly: true } as const;
    scene(options).play([
      'client: FEAT',
      'client 211-Extensions supported:\n REST STREAM\n SIZE\n EPSV\n211 End',
    ]);
    scene({ denied: new Set(['OPTS']) }).play([
      'client: OPTS UTF8 ON',
      'refused denied OPTS',
      'client 550 Permission denied.',
    ]);
  });

  it('has what it said before USER told to its backend, and hears nothing of it', () => {
    scene().play(
      ['client: HOST old.example', 'client 220 Host noted.'],
      ['client: OPTS UTF8 ON', 'client 200 Noted.'],
      ['client: OPTS MLST size;', 'client 200 Noted.'],
      ['client: OPTS utf8 off', 'client 200 Noted.'],
      ['client: HOST new.example', 'client 220 Host noted.'],
      ['client: USER joe', 'connect joe'],
      ['backend connected'],
      ['backend: 220 hi', 'greeted', 'backend OPTS MLST size;'],
      ['backend: 501-what\n501 is it', 'backend OPTS utf8 off'],
      ['backend: 200 ok', 'backend HOST new.example'],
      ['backend: 220 ok', 'backend USER joe'],
      ['backend: 331 password?', 'client 331 password?'],
    );
  });

  it('forgets it with REIN', () => {
    scene().play(
      ['client: HOST old.example', 'client 220 Host noted.'],
      ['client: REIN', ours],
      ...toBackend,
    );
  });

  it('may not say any amount of it', () => {
    const session = scene();
    for (let n = 0; n < 16; n += 1) session.play([`client: OPTS F${n}`, 'client 200 Noted.']);
    const refused = ['refused not-logged-in CLNT', 'client 503 Too much before USER, login first.'] as const;
    session.play(['client: CLNT x', ...refused], ['client: OPTS F3 on', 'client 200 Noted.']);
    scene().play(
      [`client: CLNT ${'x'.repeat(4_000)}`, 'client 200 Noted.'],
      [`client: CLNT ${'y'.repeat(4_000)}`, 'client 200 Noted.'],
      [
        `client: HOST ${'z'.repeat(200)}`,
        'refused not-logged-in HOST',
        'client 503 Too much before USER, login first.',
      ],
    );
  });

  it('logs in nowhere where its host is not known', () => {
    const refusal = ['close backend fin', 'refused unknown-host HOST'];
    const text = 'client 530 Not logged in, the host is not served.';
    scene().play(
      ['client: HOST a.example', 'client 220 Host noted.'],
      ['client: USER joe\nPASS secret', 'connect joe'],
      ['backend connected'],
      ['backend: 220 hi', 'greeted', 'backend HOST a.example'],
      ['backend: 504 no\n230 in', ...refusal, text, 'client 503 Login with USER first.'],
      ['client: USER joe', 'connect joe'],
      ['backend connected'],
      ['backend: 220 hi', 'greeted', 'backend HOST a.example'],
    );
  });

  it('is not logged in any more where a backend that has let it in is left', () => {
    scene().play(
      ['client: HOST a.example', 'client 220 Host noted.'],
      ['client: USER joe', 'connect joe'],
      ['backend connected'],
      ['backend: 230 come in', 'greeted', 'login joe', 'backend HOST a.example'],
      [
        'backend: 504 no',
        'close backend fin',
        'refused unknown-host HOST',
        'client 530 Not logged in, the host is not served.',
      ],
      ['client: PASV', 'refused not-logged-in PASV', loginFirst],
      ['client: USER ann', 'connect ann'],
    );
  });

  it('takes no reply for another one', () => {
    const fault = ['client 421 Service not available, closing control connection.'];
    const ends = [...fault, ...closed('backend-protocol', 'reset')];
    begun().play(['backend: 220 hi\n331 password?', 'greeted', ...ends]);
    begun().play(
      ['backend: 220 hi', 'greeted', 'backend CLNT x'],
      ['backend: 200 ok\n331 password?', ...ends],
    );
  });

  it.each([
    ['its end', 'backend end', 'backend-closed', 'fin'],
    ['its reset', 'backend reset', 'backend-reset', 'reset'],
    ['its silence', 'wait 10000', 'reply-timeout', 'reset'],
  ] as const)('is told 421 at %s of a backend that was being introduced', (_, input, end, how) => {
    scene().play(
      ['client: CLNT x', 'client 200 Noted.'],
      ['client: USER joe', 'connect joe'],
      ['backend connected'],
      ['backend: 220 hi', 'greeted', 'backend CLNT x'],
      [input, bye, ...closed(end, how)],
    );
  });

  it('is told the 421 that such a backend says', () => {
    scene().play(
      ['client: CLNT x', 'client 200 Noted.'],
      ['client: USER joe', 'connect joe'],
      ['backend connected'],
      ['backend: 220 hi', 'greeted', 'backend CLNT x'],
      ['backend: 421 full', 'client 421 full', ...closed('backend-closed')],
    );
  });

  it('has the next backend where one cannot be had, and 421 where none is left', () => {
    const session = scene().play(
      ['client: USER joe', 'connect joe'],
      ['backend unavailable', 'connect joe'],
      ['backend connected'],
      ['backend: 421 full', 'close backend reset', 'failed refused', 'connect joe'],
      ['backend none', bye, ...closed('no-backend')],
    );
    expect(session.ends).toMatchObject([{ user: 'joe', isLoggedIn: false, tries: 2 }]);
  });

  it('is told 530 where nobody has its user, and may name another one', () => {
    const session = scene().play(
      ['client: USER eve\nPASS x', 'connect eve'],
      [
        'backend unknown',
        'refused unknown-user USER',
        'client 530 Not logged in.',
        'client 503 Login with USER first.',
      ],
      ...throughLogin,
    );
    session.play(['client reset', 'close client reset', 'close backend fin', 'session client-reset']);
    expect(session.ends).toMatchObject([{ user: 'joe', tries: 1 }]);
  });

  it('that never says USER has the time for a login', () => {
    scene().play(
      ['client: NOOP', 'client 200 Nothing done.'],
      ['wait 30000'],
      ['client: NOOP', 'client 200 Nothing done.'],
      ['wait 30000', 'client 421 Login timed out, closing control connection.', ...closed('login-timeout')],
    );
  });

  it('ends with its client, and with the balancer', () => {
    scene().play(['client end', ...closed('client-closed')]);
    scene().play(['client: USER joe', 'connect joe'], ['client end', ...closed('client-closed')]);
    scene().play(['session drain', bye, ...closed('drained')]);
    scene().play(['client: USER joe', 'connect joe'], ['session drain', bye, ...closed('drained')]);
    scene().play([
      'client: GET / HTTP/1.1',
      'client 421 Service not available, closing control connection.',
      ...closed('http'),
    ]);
  });
});

describe('another USER', () => {
  it('of the same user is for the backend', () => {
    const wrong: Step = ['backend: 530 wrong', 'client 530 wrong'];
    const session = scene().play(...toBackend, ['client: PASS x', 'backend PASS x'], wrong);
    session.play(['client: USER joe', 'backend USER joe'], ['backend: 331 again', 'client 331 again']);
    const logged = scene().play(...throughLogin);
    logged.play(['client: USER joe', 'backend USER joe'], ['backend: 230 in', 'client 230 in']);
  });

  it('of somebody else has another backend, and what was said is told there', () => {
    scene().play(
      ['client: CLNT x', 'client 200 Noted.'],
      ['client: USER joe', 'connect joe'],
      ['backend connected'],
      ['backend: 220 hi', 'greeted', 'backend CLNT x'],
      ['backend: 200 ok', 'backend USER joe'],
      ['backend: 331 password?', 'client 331 password?'],
      ['client: OPTS UTF8 ON', 'backend OPTS UTF8 ON'],
      ['backend: 200 on', 'client 200 on'],
      ['client: USER ann', 'close backend fin', 'connect ann'],
      ['backend connected'],
      ['backend: 220 other', 'greeted', 'backend CLNT x'],
      ['backend: 200 ok', 'backend OPTS UTF8 ON'],
      ['backend: 200 ok', 'backend USER ann'],
      ['backend: 331 ann?', 'client 331 ann?'],
      ['client: PASS secret', 'backend PASS secret'],
      ['backend: 230 welcome', 'login ann', 'client 230 welcome'],
    );
  });

  it('takes nothing along that the first backend had not said to the end', () => {
    const session = scene().play(...toBackend);
    session.session.onBackendBytes(Buffer.from('421-half'), 1_000);
    session.play(
      ['client: USER ann', 'close backend fin', 'connect ann'],
      ['backend connected'],
      ['backend: 220 other', 'greeted', 'backend USER ann'],
    );
  });

  it('of somebody else behind a login is refused', () => {
    scene().play(
      ...throughLogin,
      ['client: USER ann', 'refused other-user USER', 'client 530 Connect again to log in as another user.'],
      ['client: PWD', 'backend PWD'],
    );
  });

  it('of somebody else behind REIN has another backend', () => {
    scene().play(
      ...throughLogin,
      ['client: REIN', 'backend REIN'],
      ['backend: 220 again', 'client 220 again'],
      ['client: USER ann', 'close backend fin', 'connect ann'],
    );
  });

  it('of one more user, when ten have been tried, is refused; a login lets it try anew', () => {
    const unknown = ['refused unknown-user USER', 'client 530 Not logged in.'] as const;
    const refused = [
      'refused other-user USER',
      'client 530 Connect again to log in as another user.',
    ] as const;
    const session = scene();
    for (let n = 0; n < 9; n += 1)
      session.play([`client: USER u${n}`, `connect u${n}`], ['backend unknown', ...unknown]);
    session.play(
      ...toBackend,
      ['client: USER ann', ...refused],
      ['client: PASS secret', 'backend PASS secret'],
      ['backend: 230 welcome', 'login joe', 'client 230 welcome'],
      ['client: REIN', 'backend REIN'],
      ['backend: 220 again', 'client 220 again'],
      ['client: USER ann', 'close backend fin', 'connect ann'],
    );
  });

  it('of a user without a backend leaves the session without one', () => {
    scene().play(
      ...toBackend,
      ['client: USER eve', 'close backend fin', 'connect eve'],
      ['backend unknown', 'refused unknown-user USER', 'client 530 Not logged in.'],
      ['client: PASS secret', 'client 503 Login with USER first.'],
      ['client: USER joe', 'connect joe'],
    );
  });
});
