import { describe, expect, it } from 'vitest';
import { login, Scene, type Step } from './session-scene.ts';

const nextOne = (reason: string): string[] => ['close backend reset', `failed ${reason}`, 'connect'];
const nobody: Step = [
  'backend none',
  'client 421 Service not available, closing control connection.',
  'close client fin',
  'close backend fin',
  'session no-backend',
];

function scene(): Scene {
  const scene = new Scene();
  expect(scene.take()).toEqual(['connect']);
  return scene;
}

describe('the greeting of a backend', () => {
  it('passes, and then the login does', () => {
    const session = scene().play(...login, ['client: QUIT', 'backend QUIT']);
    session.play([
      'backend: 221 bye',
      'client 221 bye',
      'close client fin',
      'close backend fin',
      'session quit',
    ]);
    expect(session.ends).toEqual([
      {
        end: 'quit',
        user: 'joe',
        isLoggedIn: true,
        tries: 1,
        commands: 3,
        transfers: 0,
        startedAt: 1_000,
        endedAt: 1_000,
      },
    ]);
    expect(session.session.deadline).toBe(Infinity);
  });

  it('may have many lines', () => {
    scene().play(
      ['backend connected'],
      ['backend: 220-hello\n123 not yet\n220 go', 'greeted', 'client 220-hello\n123 not yet\n220 go'],
    );
  });

  it('may ask to wait, each time for the whole time', () => {
    scene().play(
      ['backend connected'],
      ['wait 9999'],
      ['backend: 120 soon'],
      ['wait 9999'],
      ['backend: 120 soon'],
      ['wait 9999'],
      ['backend: 220 hello', 'greeted', 'client 220 hello'],
    );
  });

  it('may ask to wait and go on in one segment', () => {
    scene().play(['backend connected'], ['backend: 120 soon\n220 hello', 'greeted', 'client 220 hello']);
  });

  it('may come byte by byte', () => {
    const { session, take } = wholeScene();
    session.onBackendConnected(1_000);
    for (const byte of Buffer.from('220 hello\r\n')) session.onBackendBytes(Uint8Array.of(byte), 1_000);
    expect(take()).toEqual(['connect', 'greeted', 'client 220 hello']);
  });

  it('may be a login', () => {
    scene().play(
      ['backend connected'],
      ['backend: 230 come in', 'greeted', 'login ', 'client 230 come in'],
      ['wait 100000'],
      ['client: PASV', 'listen client 1 pasv'],
    );
  });

  const failures: readonly [string, Step][] = [
    ['421', ['backend: 421 full', ...nextOne('refused')]],
    ['530', ['backend: 530 go away', ...nextOne('refused')]],
    ['a reply to something else', ['backend: 200 fine', ...nextOne('refused')]],
    ['SSH', ['backend: SSH-2.0-OpenSSH_9.9', ...nextOne('malformed')]],
    ['HTTP', ['backend: HTTP/1.1 400 Bad Request', ...nextOne('malformed')]],
    ['an empty line', ['backend: ', ...nextOne('malformed')]],
    ['code 999', ['backend: 999 what', ...nextOne('malformed')]],
    ['a NUL', ['backend: 220 a\0b', ...nextOne('malformed')]],
    ['a line without end', [`backend: ${'x'.repeat(9_000)}`, ...nextOne('malformed')]],
    ['a reply without end', [`backend: 220-a\n${'b\n'.repeat(5_000)}`, ...nextOne('malformed')]],
    ['its end', ['backend end', ...nextOne('closed')]],
    ['a reset', ['backend reset', ...nextOne('closed')]],
    ['silence', ['wait 10000', ...nextOne('silent')]],
  ];

  it.each(failures)('that is %s is followed by the next backend, unseen by the client', (_, step) => {
    const session = scene().play(['backend connected'], step, ['backend connected']);
    session.play(['backend: 220 second', 'greeted', 'client 220 second']);
    session.play(['client: QUIT', 'backend QUIT']);
    session.send('backend: 221 bye');
    expect(session.ends).toMatchObject([{ end: 'quit', tries: 2 }]);
  });

  it('that was refused is not made good by what stands behind it', () => {
    scene().play(['backend connected'], ['backend: 421 full\n220 hello', ...nextOne('refused')]);
  });

  it('that was begun by one backend is not continued by the next', () => {
    const session = scene().play(['backend connected']);
    session.session.onBackendBytes(Buffer.from('220 hel'), 1_000);
    session.play(
      ['backend end', ...nextOne('closed')],
      ['backend connected'],
      ['backend: 220 second', 'greeted', 'client 220 second'],
    );
  });

  it('that comes from nobody is a 421', () => {
    const session = scene().play(
      ['backend unavailable', 'connect'],
      ['backend connected'],
      ['backend end', ...nextOne('closed')],
      nobody,
    );
    expect(session.ends).toMatchObject([{ tries: 2, isLoggedIn: false }]);
  });

  it('that this host cannot ask for is a 421, and the end says so', () => {
    const session = scene().play([
      'backend out-of-reach',
      'client 421 Service not available, closing control connection.',
      'close client fin',
      'close backend fin',
      'session no-resources',
    ]);
    expect(session.ends).toMatchObject([{ tries: 0, isLoggedIn: false }]);
  });

  it('that takes longer than a login may is a 421', () => {
    scene().play(
      ['backend connected'],
      ['wait 9000'],
      ['backend: 120 soon'],
      ['wait 9000'],
      ['backend: 120 soon'],
      ['wait 9000'],
      ['backend: 120 soon'],
      ['wait 9000'],
      ['backend: 120 soon'],
      ['wait 9000'],
      ['backend: 120 soon'],
      ['wait 9000'],
      ['backend: 120 soon'],
      [
        'wait 6000',
        'client 421 Login timed out, closing control connection.',
        'close client fin',
        'close backend fin',
        'session login-timeout',
      ],
    );
  });
});

describe('a client that waits for the greeting', () => {
  it('may speak early, in order and into the right backend', () => {
    scene().play(
      ['client: USER joe\nPASS x'],
      ['backend connected'],
      ['backend: 500 no', ...nextOne('refused')],
      ['client: PWD'],
      ['backend connected'],
      ['backend: 220 hello', 'greeted', 'client 220 hello', 'backend USER joe'],
      ['backend: 331 password?', 'client 331 password?', 'backend PASS x'],
      ['backend: 230 in', 'login joe', 'client 230 in', 'backend PWD'],
    );
  });

  it('may have closed behind its commands', () => {
    scene().play(
      ['client: NOOP\nQUIT'],
      ['client end'],
      ['backend connected'],
      ['backend: 220 hello', 'greeted', 'client 220 hello', 'backend NOOP'],
      ['backend: 200 ok', 'client 200 ok', 'backend QUIT'],
      ['backend: 221 bye', 'client 221 bye', 'close client fin', 'close backend fin', 'session quit'],
    );
  });

  it('may go', () => {
    scene().play(['client end', 'close client fin', 'close backend fin', 'session client-closed']);
    scene().play(['client reset', 'close client reset', 'close backend fin', 'session client-reset']);
  });

  it('is told when the balancer closes', () => {
    const bye = 'client 421 Service not available, closing control connection.';
    scene().play(['session drain', bye, 'close client fin', 'close backend fin', 'session drained']);
    scene().play(['session shutdown', bye, 'close client fin', 'close backend reset', 'session shutdown']);
  });

  it('is no longer heard when it says too much', () => {
    const session = new Scene({ maxWaiting: 3 });
    session.take();
    session.play(
      ['client: NOOP\nNOOP'],
      ['client: NOOP\nNOOP\nNOOP\nNOOP', 'pause client'],
      ['backend connected'],
      ['backend: 220 hello', 'greeted', 'client 220 hello', 'backend NOOP'],
      ['backend: 200 1', 'client 200 1', 'backend NOOP'],
      ['backend: 200 2', 'client 200 2', 'backend NOOP'],
      ['backend: 200 3', 'client 200 3', 'backend NOOP', 'resume client'],
    );
  });
});

function wholeScene(): { session: Scene['session']; take: () => string[] } {
  const whole = new Scene();
  return { session: whole.session, take: () => whole.take() };
}
