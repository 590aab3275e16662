import { describe, expect, it } from 'vitest';
import type { FtpSessionOptions } from '../../../src/ftp/effects.ts';
import { loggedIn, type Scene, type Step } from './session-scene.ts';

const noData = 'client 425 Cannot open data connection.';
const failed = (generation: number): string[] => [
  `abort ${generation} other-leg`,
  noData,
  'transfer RETR no-backend-data 425 0',
];

/** A client that has connected, after PASV. */
function passive(options: Partial<FtpSessionOptions> = {}): Scene {
  const scene = loggedIn(options);
  listen(scene, 1);
  return scene;
}

function listen(scene: Scene, generation: number): void {
  for (const input of ['client: PASV', `client listening ${generation}`, `client open ${generation}`]) {
    scene.send(input);
  }
  scene.take();
}

/** A client that listens, after PORT. */
function active(options: Partial<FtpSessionOptions> = {}): Scene {
  const scene = loggedIn(options);
  scene.send('client: PORT 192,0,2,7,19,136');
  scene.take();
  return scene;
}

const begun: Step[] = [
  ['client: RETR f', 'backend EPSV'],
  ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
];

describe('the data connection of a backend', () => {
  it('is open before the transfer command goes out', () => {
    passive().play(...begun, ['wait 29999'], ['backend open 1', 'backend RETR f', 'relay 1 download']);
  });

  it.each<[string, Step[]]>([
    ['no EPSV', [['backend: 500 what?', 'backend PASV']]],
    ['no such family', [['backend: 522 use (1)', 'backend PASV']]],
    ['no endpoint in a 229', [['backend: 229 yes (|1|2|6000|)', 'backend PASV']]],
    ['another success', [['backend: 200 yes (|||6000|)', 'backend PASV']]],
    ['port 0', [['backend: 229 yes (|||0|)', 'backend PASV']]],
    [
      'a dead port',
      [
        ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
        ['backend failed 1', 'backend PASV'],
      ],
    ],
    [
      'a silent port',
      [
        ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
        ['wait 30000', 'drop backend 1', 'backend PASV'],
      ],
    ],
  ])('is asked for with PASV after %s, and with PASV alone from then on', (_, steps) => {
    const scene = passive().play(
      ['client: RETR f', 'backend EPSV'],
      ...steps,
      ['backend: 227 ok (10,0,0,9,23,112)', 'connect backend 1 :6000'],
      ['backend open 1', 'backend RETR f', 'relay 1 download'],
      ['backend: 150 go', 'client 150 go'],
      ['backend: 226 done'],
      ['relay clean 1 7', 'client 226 done', 'transfer RETR ok 226 7'],
    );
    listen(scene, 2);
    scene.play(['client: RETR f', 'backend PASV']);
  });

  it.each<[string, string]>([
    ['a port below 1024', '227 x (10,0,0,9,3,255)'],
    ['port 0', '227 x (10,0,0,9,0,0)'],
    ['a number over 255', '227 x (10,0,0,9,256,1)'],
    ['five numbers', '227 x (10,0,0,9,23)'],
    ['an endpoint in another reply', '200 x (10,0,0,9,23,112)'],
    ['an endpoint in an error', '425 x (10,0,0,9,23,112)'],
  ])('is not made to %s', (_, reply) => {
    const scene = passive().play(
      ['client: RETR f\nNOOP', 'backend EPSV'],
      ['backend: 502 no', 'backend PASV'],
      [`backend: ${reply}`, ...failed(1), 'backend NOOP'],
    );
    expect(scene.transfers).toMatchObject([{ clientMode: 'passive', backendMode: 'passive', bytes: 0 }]);
  });

  it.each<[string, Partial<FtpSessionOptions>, string, string]>([
    ['is ignored', {}, '10,0,0,9', ''],
    ['is trusted', { backendPasvAddress: 'trust' }, '10,0,0,9', '10.0.0.9'],
    ['is nobody', { backendPasvAddress: 'trust' }, '0,0,0,0', ''],
  ])('whose address in a 227 %s', (_, options, numbers, address) => {
    passive(options).play(
      ['client: RETR f', 'backend EPSV'],
      ['backend: 500 what?', 'backend PASV'],
      [`backend: 227 ok (${numbers},23,112)`, `connect backend 1 ${address}:6000`],
    );
  });

  it('is tried in all ways again once all have failed', () => {
    const scene = passive().play(
      ['client: RETR f', 'backend EPSV'],
      ['backend: 500 what?', 'backend PASV'],
      ['backend: 500 what?', ...failed(1)],
    );
    listen(scene, 2);
    scene.play(['client: RETR f', 'backend EPSV'], ['backend: 229 ok (|||6000|)', 'connect backend 2 :6000']);
  });

  it.each<[string, Partial<FtpSessionOptions>, string]>([
    ['passive for an active client', {}, 'backend EPSV'],
    ['active for an active client', { backendData: 'active' }, 'listen backend 1'],
    ['that of an active client', { backendData: 'client' }, 'listen backend 1'],
  ])('is %s', (_, options, effect) => {
    active(options).play(['client: RETR f', 'connect client 1 192.0.2.7:5000', effect]);
  });

  it.each<[string, Partial<FtpSessionOptions>, string]>([
    ['active for a passive client', { backendData: 'active' }, 'listen backend 1'],
    ['that of a passive client', { backendData: 'client' }, 'backend EPSV'],
  ])('is %s', (_, options, effect) => {
    passive(options).play(['client: RETR f', effect]);
  });

  it('falls back to active for an active client', () => {
    const scene = active().play(
      ['client: RETR f', 'connect client 1 192.0.2.7:5000', 'backend EPSV'],
      ['client open 1'],
      ['backend: 500 what?', 'backend PASV'],
      ['backend: 500 what?', 'listen backend 1'],
      ['backend listening 1', 'backend PORT 10,0,0,1,19,136'],
      ['backend: 200 ok', 'backend RETR f'],
      ['backend: 150 go', 'client 150 go'],
      ['backend open 1', 'relay 1 download'],
      ['relay clean 1 9'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 9'],
    );
    expect(scene.transfers).toMatchObject([{ clientMode: 'active', backendMode: 'active', type: 'A' }]);
  });

  it('is told to a backend over IPv6 with EPRT', () => {
    active({ backendData: 'active' }).play(
      ['client: RETR f', 'connect client 1 192.0.2.7:5000', 'listen backend 1'],
      ['backend listening6 1', 'backend EPRT |2|fd00::1|5000|'],
    );
  });

  it('is passive again when the backend never comes to where we listen', () => {
    active().play(
      ['client: RETR f', 'connect client 1 192.0.2.7:5000', 'backend EPSV'],
      ['client open 1'],
      ['backend: 500 what?', 'backend PASV'],
      ['backend: 500 what?', 'listen backend 1'],
      ['backend listening 1', 'backend PORT 10,0,0,1,19,136'],
      ['backend: 200 ok', 'backend RETR f'],
      ['wait 30000', 'abort 1 other-leg'],
      ['backend: 425 no', 'client 425 no', 'transfer RETR no-backend-data 425 0'],
      ['client: PORT 192,0,2,7,19,136', 'client 200 PORT command successful.'],
      ['client: RETR f', 'connect client 2 192.0.2.7:5000', 'backend EPSV'],
    );
  });

  it.each<[string, Step[]]>([
    ['no port left', [['backend full 1', ...failed(1), 'backend NOOP']]],
    [
      'PORT refused',
      [
        ['backend listening 1', 'backend PORT 10,0,0,1,19,136'],
        ['backend: 500 no', 'drop backend 1', ...failed(1), 'backend NOOP'],
      ],
    ],
    [
      'the listener lost while PORT is under way',
      [
        ['backend listening 1', 'backend PORT 10,0,0,1,19,136'],
        ['backend failed 1'],
        ['backend: 200 ok', ...failed(1), 'backend NOOP'],
      ],
    ],
    ['a listener that never comes', [['wait 30000', 'drop backend 1', ...failed(1), 'backend NOOP']]],
  ])('in active mode ends with %s', (_, steps) => {
    passive({ backendData: 'active' }).play(['client: RETR f\nNOOP', 'listen backend 1'], ...steps);
  });

  it('may be open before its PORT is answered', () => {
    passive({ backendData: 'active' }).play(
      ['client: STOR f', 'listen backend 1'],
      ['backend listening 1', 'backend PORT 10,0,0,1,19,136'],
      ['backend open 1'],
      ['backend: 200 ok', 'backend STOR f', 'relay 1 upload'],
    );
  });

  it('that breaks before the command is out is a 425', () => {
    active().play(
      ['client: RETR f', 'connect client 1 192.0.2.7:5000', 'backend EPSV'],
      ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
      ['backend open 1'],
      ['backend failed 1', ...failed(1)],
    );
  });

  it('that is refused for want of a login is answered so', () => {
    passive().play(
      ['client: RETR f', 'backend EPSV'],
      ['backend: 530 login', 'abort 1 other-leg', 'client 530 login', 'transfer RETR refused 530 0'],
    );
  });

  it('that is answered with 421 ends the session', () => {
    passive().play(
      ['client: RETR f', 'backend EPSV'],
      [
        'backend: 421 bye',
        'abort 1 other-leg',
        'client 421 bye',
        'transfer RETR refused 421 0',
        'close client fin',
        'close backend fin',
        'session backend-closed',
      ],
    );
  });

  it('that is never answered ends the session', () => {
    passive().play(
      ['client: RETR f', 'backend EPSV'],
      ['wait 29999'],
      [
        'wait 1',
        'abort 1 session-end',
        noData,
        'transfer RETR reply-timeout 425 0',
        'client 421 Service not available, closing control connection.',
        'close client fin',
        'close backend reset',
        'session reply-timeout',
      ],
    );
  });

  it('takes no notice of preliminary replies', () => {
    passive().play(
      ['client: RETR f', 'backend EPSV'],
      ['backend: 150 wait'],
      ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
    );
  });

  it('has nobody who waits for a second reply', () => {
    passive().play(...begun, [
      'backend: 229 ok (|||6001|)',
      'abort 1 session-end',
      noData,
      'transfer RETR backend-lost 425 0',
      'client 421 Service not available, closing control connection.',
      'close client fin',
      'close backend reset',
      'session backend-protocol',
    ]);
  });
});

describe('REST', () => {
  const rest: Step[] = [
    ['client: rest 100', 'backend rest 100'],
    ['backend: 350 go on', 'client 350 go on'],
  ];

  it('is said again, because commands of ours came between', () => {
    passive().play(
      ...rest,
      ...begun,
      ['backend open 1', 'backend rest 100'],
      ['backend: 350 go on', 'backend RETR f', 'relay 1 download'],
      ['relay clean 1 7'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 7'],
    );
  });

  it('stands behind PORT', () => {
    passive({ backendData: 'active' }).play(
      ...rest,
      ['client: STOR f', 'listen backend 1'],
      ['backend listening 1', 'backend PORT 10,0,0,1,19,136'],
      ['backend: 200 ok', 'backend rest 100'],
      ['backend: 350 go on', 'backend STOR f'],
    );
  });

  it('is not said again for a second transfer, behind another command, or when it was refused', () => {
    const scene = passive().play(
      ...rest,
      ...begun,
      ['backend open 1', 'backend rest 100'],
      ['backend: 350 go on', 'backend RETR f', 'relay 1 download'],
      ['backend: 550 no', 'client 550 no', 'transfer RETR refused 550 0'],
      ['client: RETR f', 'backend RETR f'],
      ['backend: 550 no', 'client 550 no', 'transfer RETR refused 550 0'],
      ...rest,
      ['client: NOOP', 'backend NOOP'],
      ['backend: 200 ok', 'client 200 ok'],
    );
    scene.aborted = 3;
    listen(scene, 2);
    scene.play(
      ['client: RETR f', 'backend EPSV'],
      ['backend: 229 ok (|||6000|)', 'connect backend 2 :6000'],
      ['backend open 2', 'backend RETR f', 'relay 2 download'],
    );
  });

  it('survives PASV, which the backend never sees', () => {
    const scene = passive().play(...rest);
    listen(scene, 2);
    scene.play(
      ['client: RETR f', 'backend EPSV'],
      ['backend: 229 ok (|||6000|)', 'connect backend 2 :6000'],
      ['backend open 2', 'backend rest 100'],
    );
  });

  it('that is refused the second time refuses the transfer', () => {
    passive().play(
      ...rest,
      ...begun,
      ['backend open 1', 'backend rest 100'],
      ['backend: 501 no', 'abort 1 other-leg', 'client 501 no', 'transfer RETR refused 501 0'],
    );
  });

  it('waits for its reply when the data connection breaks meanwhile', () => {
    passive().play(
      ...rest,
      ['client: RETR f\nNOOP', 'backend EPSV'],
      ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
      ['backend open 1', 'backend rest 100'],
      ['backend failed 1'],
      ['backend: 350 go on', ...failed(1), 'backend NOOP'],
    );
  });
});
