import { describe, expect, it } from 'vitest';
import { defaultFtpTimeouts } from '../../../src/ftp/effects.ts';
import { bye, closed, loggedIn, Scene, type Step } from './session-scene.ts';

describe('a session', () => {
  const ends: readonly [string, Step[]][] = [
    ['421 at no command', [['backend: 421 timeout', 'client 421 timeout', ...closed('backend-closed')]]],
    [
      '421 as an answer',
      [
        ['client: PWD\nNOOP', 'backend PWD'],
        ['backend: 421 timeout', 'client 421 timeout', ...closed('backend-closed')],
      ],
    ],
    [
      '421 behind an answer',
      [
        ['client: PWD\nNOOP', 'backend PWD'],
        ['backend: 257 "/"\n421 bye', 'client 257 "/"', 'client 421 bye', ...closed('backend-closed')],
      ],
    ],
    [
      '421 at PASV',
      [
        ['client: PASV', 'listen client 1 pasv'],
        ['backend: 421 x', 'abort 1 session-end', 'client 421 x', ...closed('backend-closed')],
      ],
    ],
    ['the end of the backend', [['backend end', bye, ...closed('backend-closed')]]],
    ['a reset of the backend', [['backend reset', bye, ...closed('backend-reset', 'reset')]]],
    [
      'the end of the backend at a command',
      [
        ['client: PWD', 'backend PWD'],
        ['backend end', bye, ...closed('backend-closed')],
      ],
    ],
    ['a reply that nobody asked for', [['backend: 226 done', bye, ...closed('backend-protocol', 'reset')]]],
    [
      'two replies to one command',
      [
        ['client: PWD\nDELE f', 'backend PWD'],
        ['backend: 257 "/"\n250 gone', 'client 257 "/"', bye, ...closed('backend-protocol', 'reset')],
      ],
    ],
    [
      'what is no reply',
      [
        ['client: PWD', 'backend PWD'],
        ['backend: hello', bye, ...closed('backend-protocol', 'reset')],
      ],
    ],
    [
      'a reply of too many lines',
      [
        ['client: STAT', 'backend STAT'],
        [`backend: 211-x\n${'y\n'.repeat(5_000)}211 z`, bye, ...closed('backend-protocol', 'reset')],
      ],
    ],
    [
      'no reply',
      [['client: PWD', 'backend PWD'], ['wait 599999'], ['wait 1', bye, ...closed('reply-timeout', 'reset')]],
    ],
    [
      'no command',
      [
        ['wait 299999'],
        [
          'wait 1',
          'client 421 No command for too long, closing control connection.',
          ...closed('idle-timeout'),
        ],
      ],
    ],
    ['the end of the client', [['client end', ...closed('client-closed')]]],
    [
      'the end of the client behind commands',
      [
        ['client: PWD\nNOOP', 'backend PWD'],
        ['client end'],
        ['backend: 257 "/"', 'client 257 "/"', 'backend NOOP'],
        ['backend: 200 ok', 'client 200 ok', ...closed('client-closed')],
      ],
    ],
    [
      'a reset of the client',
      [
        ['client: PWD', 'backend PWD'],
        ['client reset', 'close client reset', 'close backend fin', 'session client-reset'],
      ],
    ],
    [
      'QUIT without an answer',
      [
        ['client: QUIT', 'backend QUIT'],
        ['backend end', 'client 221 Goodbye.', ...closed('quit')],
      ],
    ],
    [
      'QUIT that was refused',
      [
        ['client: QUIT\nPWD', 'backend QUIT'],
        ['backend: 500 no', 'client 500 no', ...closed('quit')],
      ],
    ],
    ['drain when idle', [['session drain', bye, ...closed('drained')]]],
    [
      'drain when busy, behind the reply',
      [
        ['client: PWD\nNOOP', 'backend PWD'],
        ['session drain'],
        ['backend: 257 "/"', 'client 257 "/"', bye, ...closed('drained')],
      ],
    ],
    [
      'shutdown',
      [
        ['client: PWD', 'backend PWD'],
        ['session shutdown', bye, ...closed('shutdown', 'reset')],
      ],
    ],
  ];

  it.each(ends)('ends with %s', (_, steps) => {
    const session = loggedIn().play(...steps);
    expect(session.ends).toHaveLength(1);
    expect(session.session.deadline).toBe(Infinity);
    session.play(
      ['client: NOOP'],
      ['backend: 200 ok'],
      ['client end'],
      ['backend end'],
      ['client reset'],
      ['backend reset'],
      ['session drain'],
      ['session shutdown'],
      ['client listening 1'],
      ['wait 1000000'],
    );
  });

  it.each(['/', `/${'x'.repeat(5_000)}`])('is not for browsers, however long their request is', (path) => {
    const session = new Scene().play(['backend connected', 'connect']);
    session.send('backend: 220 hello');
    session.take();
    session.play([`client: POST ${path} HTTP/1.1\nUSER joe`, bye, ...closed('http')]);
  });

  it('may be idle again and again', () => {
    loggedIn().play(
      ['wait 299999'],
      ['client: NOOP', 'backend NOOP'],
      ['wait 300000'],
      ['backend: 200 ok', 'client 200 ok'],
      ['wait 299999'],
      ['client: NOOP', 'backend NOOP'],
    );
  });

  it('waits for nothing but the client when all is answered', () => {
    const timeouts = { ...defaultFtpTimeouts, finalReply: 1_000 };
    const session = loggedIn({ timeouts }).play(['client: NOOP', 'backend NOOP']);
    expect(session.session.deadline).toBe(2_000);
    session.play(['backend: 200 ok', 'client 200 ok']);
    expect(session.session.deadline).toBe(301_000);
  });

  it('is idle while a command is only half said', () => {
    const session = loggedIn().play(['wait 200000']);
    session.session.onClientBytes(Buffer.from('NO'), session.now);
    session.play([
      'wait 100000',
      'client 421 No command for too long, closing control connection.',
      ...closed('idle-timeout'),
    ]);
  });

  it('writes no more to a client that does not read', () => {
    const session = loggedIn();
    session.isReading = false;
    session.play(
      ['client: STAT\nNOOP\nAUTH TLS', 'backend STAT'],
      ['backend: 211-a\n211 b', 'client 211-a\n211 b', 'pause backend'],
      ['client: NOOP'],
    );
    session.isReading = true;
    session.play(
      ['client drained', 'resume backend', 'backend NOOP'],
      [
        'backend: 200 ok',
        'client 200 ok',
        'refused unsupported AUTH',
        'client 502 Command not implemented.',
        'backend NOOP',
      ],
    );
  });

  it('ends for a client that never reads', () => {
    const session = loggedIn();
    session.isReading = false;
    session.play(
      ['client: NOOP\nNOOP', 'backend NOOP'],
      ['backend: 200 ok', 'client 200 ok', 'pause backend'],
      [
        'wait 300000',
        'client 421 No command for too long, closing control connection.',
        ...closed('idle-timeout'),
      ],
    );
  });
});
