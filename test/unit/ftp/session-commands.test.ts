import { describe, expect, it } from 'vitest';
import type { FtpSessionOptions } from '../../../src/ftp/effects.ts';
import { closed, loggedIn, Scene, type Step } from './session-scene.ts';

describe('commands', () => {
  it('go out one at a time', () => {
    loggedIn().play(
      ['client: PWD\nCWD a\nSYST', 'backend PWD'],
      ['backend: 257 "/"', 'client 257 "/"', 'backend CWD a'],
      ['backend: 250-moved'],
      ['backend: 250 here', 'client 250-moved\n250 here', 'backend SYST'],
      ['backend: 215 UNIX', 'client 215 UNIX'],
    );
  });

  it('pass as they are, with preliminary replies and bytes of any kind', () => {
    loggedIn().play(
      ['client: site CHMOD  644 \xe9\xff\xff ', 'backend site CHMOD  644 \xe9\xff\xff '],
      ['backend: 150 wait', 'client 150 wait'],
      ['backend: 200', 'client 200'],
      ['client: XFOO bar', 'backend XFOO bar'],
      ['backend: 500 what?', 'client 500 what?'],
    );
  });

  it('that are none get 500, in their turn', () => {
    loggedIn().play(
      ['client: PWD\na\0b\nx y\nNOOP', 'backend PWD'],
      [
        'backend: 257 "/"',
        'client 257 "/"',
        'refused malformed ',
        'client 500 Command line has a NUL in it.',
        'refused malformed ',
        'client 500 Syntax error, command unrecognized.',
        'backend NOOP',
      ],
      ['backend: 200 ok', 'client 200 ok'],
      [`client: ${'x'.repeat(5_000)}`, 'refused malformed ', 'client 500 Command line too long.'],
    );
  });

  it.each(['AUTH TLS', 'PBSZ 0', 'PROT P', 'CCC', 'ADAT x', 'P@SW', 'CPSV', 'SPSV', 'LPRT 1', 'LPSV'])(
    '%s gets 502, and the backend never sees it',
    (line) => {
      const verb = line.split(' ')[0] ?? '';
      const step: Step = [
        `client: ${line}`,
        `refused unsupported ${verb}`,
        'client 502 Command not implemented.',
      ];
      loggedIn().play(step);
      const early = new Scene().play(['backend connected', 'connect']);
      early.send('backend: 220 hello');
      early.take();
      early.play(step);
    },
  );

  const readOnly = 'client 550 Permission denied, this service is read-only.';
  const filters: readonly [string, Partial<FtpSessionOptions>, Step][] = [
    ['DELE', { isReadOnly: true }, ['client: DELE f', 'refused read-only DELE', readOnly]],
    ['STOR', { isReadOnly: true }, ['client: STOR f', 'refused read-only STOR', readOnly]],
    ['XMKD', { isReadOnly: true }, ['client: XMKD d', 'refused read-only XMKD', readOnly]],
    ['SITE', { isReadOnly: true }, ['client: SITE CHMOD 0 f', 'refused read-only SITE', readOnly]],
    ['what nobody knows', { isReadOnly: true }, ['client: XFOO', 'refused read-only XFOO', readOnly]],
    [
      'MDTM with a time',
      { isReadOnly: true },
      ['client: MDTM 20200101000000 f', 'refused read-only MDTM', readOnly],
    ],
    [
      'a denied verb',
      { denied: new Set(['SITE']) },
      ['client: site help', 'refused denied SITE', 'client 550 Permission denied.'],
    ],
    [
      'PORT where only passive clients are served',
      { clientModes: 'passive' },
      [
        'client: PORT 192,0,2,7,20,0',
        'refused active-mode PORT',
        'client 502 Only passive mode is served, use PASV or EPSV.',
      ],
    ],
    [
      'EPRT where only passive clients are served',
      { clientModes: 'passive' },
      [
        'client: EPRT |1|192.0.2.7|5000|',
        'refused active-mode EPRT',
        'client 502 Only passive mode is served, use PASV or EPSV.',
      ],
    ],
  ];

  it.each(filters)('%s can be forbidden', (_, options, step) => {
    loggedIn(options).play(step);
  });

  it('that read pass where nothing may be written', () => {
    loggedIn({ isReadOnly: true }).play(
      ['client: MDTM f', 'backend MDTM f'],
      ['backend: 213 20200101000000', 'client 213 20200101000000'],
    );
  });

  it.each(['PASV', 'EPSV', 'PORT 192,0,2,7,20,0', 'EPRT |1|192.0.2.7|5000|', 'RETR f', 'STOR f', 'LIST'])(
    '%s needs a login',
    (line) => {
      const session = new Scene().play(['backend connected', 'connect']);
      session.send('backend: 220 hello');
      session.take();
      session.play([
        `client: ${line}`,
        `refused not-logged-in ${line.split(' ')[0]}`,
        'client 530 Please login with USER and PASS.',
      ]);
    },
  );
});

describe('FEAT', () => {
  const reply = '211-Features:\n AUTH TLS\n EPRT\n MFMT\n PASV\n PBSZ\n SIZE\n SITE x\n211 End';

  it.each<[string, Partial<FtpSessionOptions>, string]>([
    ['a usual session', {}, '211-Features:\n EPRT\n MFMT\n PASV\n SIZE\n SITE x\n EPSV\n211 End'],
    [
      'passive clients',
      { clientModes: 'passive' },
      '211-Features:\n MFMT\n PASV\n SIZE\n SITE x\n EPSV\n211 End',
    ],
    ['readers', { isReadOnly: true }, '211-Features:\n EPRT\n PASV\n SIZE\n SITE x\n EPSV\n211 End'],
    [
      'denied verbs',
      { denied: new Set(['SITE', 'EPSV']) },
      '211-Features:\n EPRT\n MFMT\n PASV\n SIZE\n211 End',
    ],
  ])('is rewritten for %s', (_, options, expected) => {
    loggedIn(options).play(['client: FEAT', 'backend FEAT'], [`backend: ${reply}`, `client ${expected}`]);
  });

  it('is rewritten before login too, and nothing else is', () => {
    const session = new Scene().play(['backend connected', 'connect']);
    session.send('backend: 220 hello');
    session.take();
    session.play(
      ['client: feat', 'backend feat'],
      ['backend: 211-x\n AUTH TLS\n211 y', 'client 211-x\n EPRT\n EPSV\n211 y'],
      ['client: HELP', 'backend HELP'],
      ['backend: 211-x\n AUTH TLS\n211 y', 'client 211-x\n AUTH TLS\n211 y'],
    );
  });
});

describe('the login', () => {
  const cases: readonly [string, Step[]][] = [
    [
      'without a password',
      [
        ['client: USER ftp', 'backend USER ftp'],
        ['backend: 230 in', 'login ftp', 'client 230 in'],
      ],
    ],
    [
      'with an account',
      [
        ['client: USER a\nPASS b\nACCT c', 'backend USER a'],
        ['backend: 331 p', 'client 331 p', 'backend PASS b'],
        ['backend: 332 a', 'client 332 a', 'backend ACCT c'],
        ['backend: 230 in', 'login a', 'client 230 in'],
      ],
    ],
    [
      'that was refused first',
      [
        ['client: USER a\nPASS b', 'backend USER a'],
        ['backend: 331 p', 'client 331 p', 'backend PASS b'],
        ['backend: 530 no', 'client 530 no'],
        ['client: PASV', 'refused not-logged-in PASV', 'client 530 Please login with USER and PASS.'],
        ['client: USER a\nPASS c', 'backend USER a'],
        ['backend: 331 p', 'client 331 p', 'backend PASS c'],
        ['backend: 202 superfluous', 'login a', 'client 202 superfluous'],
      ],
    ],
  ];

  it.each(cases)('%s is known', (_, steps) => {
    const session = new Scene().play(['backend connected', 'connect']);
    session.send('backend: 220 hello');
    session.take();
    session.play(...steps, ['client: PASV', 'listen client 1 pasv']);
    expect(session.session.deadline).toBe(31_000);
  });

  it('is over with REIN, and has to be done again in time', () => {
    loggedIn().play(
      ['client: REIN', 'backend REIN'],
      ['backend: 120 soon', 'client 120 soon'],
      ['backend: 220 ready', 'client 220 ready'],
      ['client: LIST', 'refused not-logged-in LIST', 'client 530 Please login with USER and PASS.'],
      ['wait 59999'],
      ['wait 1', 'client 421 Login timed out, closing control connection.', ...closed('login-timeout')],
    );
  });

  it('is over with USER, if that asks for a password', () => {
    loggedIn().play(
      ['client: USER other', 'backend USER other'],
      ['backend: 331 p', 'client 331 p'],
      ['client: PASV', 'refused not-logged-in PASV', 'client 530 Please login with USER and PASS.'],
    );
  });

  it('must come in time, whatever is said meanwhile', () => {
    const session = new Scene().play(['backend connected', 'connect']);
    session.send('backend: 220 hello');
    session.take();
    session.play(
      ['client: NOOP', 'backend NOOP'],
      ['backend: 200 ok', 'client 200 ok'],
      ['wait 59000'],
      ['client: NOOP', 'backend NOOP'],
      ['wait 1000', 'client 421 Login timed out, closing control connection.', ...closed('login-timeout')],
    );
  });
});
