import { describe, expect, it } from 'vitest';
import type { FtpSessionOptions } from '../../../src/ftp/effects.ts';
import { loggedIn, type Scene, type Step } from './session-scene.ts';

const ipv6 = { client: 'fe80::7%eth0' };
const pasv = (generation: number): Step[] => [
  ['client: PASV', `listen client ${generation} pasv`],
  [`client listening ${generation}`, 'client 227 Entering Passive Mode (198,51,100,1,19,136).'],
];
const noPort = 'client 425 Cannot open passive connection.';
const noData = 'client 425 Use PASV, EPSV, PORT or EPRT first.';

const listening = (): Scene => loggedIn().play(...pasv(1));

describe('PASV and EPSV', () => {
  it('are answered word for word with where the client must connect', () => {
    loggedIn().play(
      ...pasv(1),
      ['client: EPSV', 'abort 1 replaced', 'listen client 2 epsv'],
      ['client listening 2', 'client 229 Entering Extended Passive Mode (|||5000|)'],
      ['client: EPSV 1', 'abort 2 replaced', 'listen client 3 epsv'],
      ['client listening 3', 'client 229 Entering Extended Passive Mode (|||5000|)'],
    );
    loggedIn(ipv6).play(
      ['client: EPSV 2', 'listen client 1 epsv'],
      ['client listening 1', 'client 229 Entering Extended Passive Mode (|||5000|)'],
    );
  });

  it('take IPv4 in the clothes of IPv6 for IPv4', () => {
    loggedIn({ client: '::ffff:192.0.2.7' }).play(...pasv(1), [
      'client: EPSV 2',
      'refused bad-endpoint EPSV',
      'client 522 Network protocol not supported, use (1)',
    ]);
  });

  it.each<[string, Partial<FtpSessionOptions>, string]>([
    ['PASV', ipv6, '425 PASV is for IPv4, use EPSV.'],
    ['EPSV 1', ipv6, '522 Network protocol not supported, use (2)'],
    ['EPSV 2', {}, '522 Network protocol not supported, use (1)'],
    ['EPSV x', {}, '501 Syntax error in parameters or arguments.'],
  ])('%s can be refused', (line, options, answer) => {
    loggedIn(options).play([
      `client: ${line}`,
      `refused bad-endpoint ${line.slice(0, 4)}`,
      `client ${answer}`,
    ]);
  });

  it('may find no port', () => {
    loggedIn().play(
      ['client: PASV\nNOOP', 'listen client 1 pasv'],
      ['client full 1', 'abort 1 unused', 'refused no-listener PASV', noPort, 'backend NOOP'],
    );
  });

  it('wait for the port, but not for ever', () => {
    loggedIn().play(
      ['client: EPSV', 'listen client 1 epsv'],
      ['wait 30000', 'abort 1 unused', 'refused no-listener EPSV', noPort],
      ['client listening 1'],
    );
  });

  it('do not tell an IPv6 address in a 227', () => {
    const session = loggedIn().play(['client: PASV', 'listen client 1 pasv']);
    session.session.onClientListening(1, { address: 'fd00::1', port: 5_000 }, session.now);
    expect(session.take()).toEqual(['abort 1 unused', 'refused no-listener PASV', noPort]);
  });

  it('are not used for ever', () => {
    loggedIn().play(
      ...pasv(1),
      ['wait 44999'],
      ['wait 1', 'abort 1 unused'],
      ['client open 1'],
      ['client: LIST', 'refused no-data-channel LIST', noData],
    );
  });

  it('keep a client that has connected', () => {
    loggedIn().play(...pasv(1), ['client open 1'], ['wait 200000'], ['client: LIST', 'backend EPSV']);
  });

  it('begin anew when the client that connected is gone', () => {
    loggedIn().play(
      ...pasv(1),
      ['client open 1'],
      ['client failed 1', 'abort 1 other-leg'],
      ['client: LIST', 'refused no-data-channel LIST', noData],
    );
  });
});

describe('EPSV ALL', () => {
  it('leaves nothing but EPSV, whoever logs in', () => {
    const never = 'client 503 Not allowed after EPSV ALL.';
    loggedIn().play(
      ['client: epsv all', 'client 200 EPSV ALL command successful.'],
      ['client: PASV', 'refused epsv-all PASV', never],
      ['client: PORT 192,0,2,7,20,0', 'refused epsv-all PORT', never],
      ['client: EPRT |1|192.0.2.7|5000|', 'refused epsv-all EPRT', never],
      ['client: USER x', 'backend USER x'],
      ['backend: 230 in', 'client 230 in'],
      ['client: PASV', 'refused epsv-all PASV', never],
      ['client: EPSV', 'listen client 1 epsv'],
    );
  });
});

describe('PORT and EPRT', () => {
  it.each<[string, Partial<FtpSessionOptions>, string]>([
    ['PORT 192,0,2,7,19,136', {}, '192.0.2.7:5000'],
    ['EPRT |1|192.0.2.7|5000|', {}, '192.0.2.7:5000'],
    ['EPRT |2|fe80::7|5000|', ipv6, 'fe80::7%eth0:5000'],
    ['PORT 10,9,8,7,19,136', { portAddress: 'control' }, '192.0.2.7:5000'],
    ['PORT 192,0,2,7,4,0', {}, '192.0.2.7:1024'],
  ])('%s is connected to when a transfer command comes', (line, options, to) => {
    loggedIn(options).play(
      [`client: ${line}`, `client 200 ${line.slice(0, 4)} command successful.`],
      ['wait 100000'],
      ['client: LIST', `connect client 1 ${to}`, 'backend EPSV'],
    );
  });

  it.each<[string, Partial<FtpSessionOptions>, string, string]>([
    ['PORT 192,0,2,8,19,136', {}, 'foreign-address', '501 Data connections go to your own address alone.'],
    ['PORT 127,0,0,1,19,136', {}, 'foreign-address', '501 Data connections go to your own address alone.'],
    ['EPRT |1|192.0.2.8|5000|', {}, 'foreign-address', '501 Data connections go to your own address alone.'],
    ['EPRT |2|fe80::8|5000|', ipv6, 'foreign-address', '501 Data connections go to your own address alone.'],
    ['PORT 192,0,2,7,0,22', {}, 'privileged-port', '501 Data connections go to ports from 1024 alone.'],
    ['PORT 192,0,2,7,3,255', {}, 'privileged-port', '501 Data connections go to ports from 1024 alone.'],
    [
      'PORT 1,2,3,4,0,22',
      { portAddress: 'control' },
      'privileged-port',
      '501 Data connections go to ports from 1024 alone.',
    ],
    ['PORT 192,0,2,7,19', {}, 'bad-endpoint', '501 Syntax error in parameters or arguments.'],
    ['PORT 192,0,2,7,19,256', {}, 'bad-endpoint', '501 Syntax error in parameters or arguments.'],
    ['EPRT |2|fe80::7|5000|', {}, 'bad-endpoint', '522 Network protocol not supported, use (1)'],
    ['PORT 192,0,2,7,19,136', ipv6, 'bad-endpoint', '501 PORT is for IPv4, use EPRT.'],
  ])('%s is refused', (line, options, reason, answer) => {
    loggedIn(options).play(
      [`client: ${line}`, `refused ${reason} ${line.slice(0, 4)}`, `client ${answer}`],
      ['client: LIST', 'refused no-data-channel LIST', noData],
    );
  });
});

describe('a data connection', () => {
  it.each<[string, Step]>([
    ['PASV', ['client: PASV', 'abort 1 replaced', 'listen client 2 pasv']],
    ['PORT', ['client: PORT 192,0,2,7,19,136', 'abort 1 replaced', 'client 200 PORT command successful.']],
    ['EPRT', ['client: EPRT |1|192.0.2.7|5000|', 'abort 1 replaced', 'client 200 EPRT command successful.']],
    ['USER', ['client: USER x', 'abort 1 replaced', 'backend USER x']],
    ['REIN', ['client: REIN', 'abort 1 replaced', 'backend REIN']],
  ])('is closed by %s', (_, step) => {
    listening().play(step, ['client open 1'], ['client failed 1'], ['relay clean 1 5']);
  });

  it('is kept by a command that was refused', () => {
    listening().play(
      [
        'client: PORT 1,2,3,4,5,6',
        'refused foreign-address PORT',
        'client 501 Data connections go to your own address alone.',
      ],
      ['client: NOOP', 'backend NOOP'],
      ['backend: 200 ok', 'client 200 ok'],
      ['client: LIST', 'backend EPSV'],
    );
  });

  it('ends with its session', () => {
    listening().play([
      'client reset',
      'abort 1 session-end',
      'close client reset',
      'close backend fin',
      'session client-reset',
    ]);
  });

  it('must be asked for before a transfer', () => {
    loggedIn().play(['client: LIST', 'refused no-data-channel LIST', noData]);
    loggedIn({ clientModes: 'passive' }).play([
      'client: LIST',
      'refused no-data-channel LIST',
      'client 425 Use PASV or EPSV first.',
    ]);
  });
});
