import { describe, expect, it } from 'vitest';
import {
  broken,
  bye,
  closed,
  go,
  loggedIn,
  noData,
  type Scene,
  type Step,
  transfer,
} from './session-scene.ts';

const retr = (hasConnected?: boolean): Scene => transfer('RETR f', hasConnected);

const activeClient = (): Scene => {
  const scene = loggedIn();
  scene.send('client: PORT 192,0,2,7,19,136');
  scene.take();
  return scene.play(
    ['client: STOR f\nNOOP', 'connect client 1 192.0.2.7:5000', 'backend EPSV'],
    ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
    ['backend open 1'],
  );
};

const activeBackend = (): Scene => {
  const scene = loggedIn({ backendData: 'active' });
  for (const input of ['client: PASV', 'client listening 1', 'client open 1', 'client: STOR f\nNOOP']) {
    scene.send(input);
  }
  scene.send('backend listening 1');
  scene.take();
  return scene.play(['backend: 200 ok', 'backend STOR f']);
};

const end = (result: string): string[] => ['abort 1 session-end', broken, `transfer RETR ${result} 426 9`];

describe('a client leg', () => {
  it('that is never there is a 425', () => {
    const missing: Step[] = [go, ['wait 44999'], ['wait 1', 'abort 1 other-leg']];
    retr(false).play(
      ...missing,
      ['backend: 226 done', noData, 'transfer RETR no-client-data 425 0'],
      ['client: NOOP', 'backend NOOP'],
    );
    retr(false).play(...missing, [
      'backend: 426 broken',
      'client 426 broken',
      'transfer RETR no-client-data 426 0',
    ]);
    retr(false).play(...missing, [
      'wait 10000',
      noData,
      'transfer RETR no-client-data 425 0',
      bye,
      ...closed('reply-timeout', 'reset'),
    ]);
    retr(false).play(
      ['backend: 150 go\n226 done', 'client 150 go'],
      ['wait 44999'],
      ['wait 1', 'abort 1 other-leg', noData, 'transfer RETR no-client-data 425 0'],
    );
  });

  it('that is reset before bytes could flow is a 425', () => {
    loggedIn().play(
      ['client: PASV', 'listen client 1 pasv'],
      ['client listening 1', 'client 227 Entering Passive Mode (198,51,100,1,19,136).'],
      ['client open 1'],
      ['client: STOR f\nNOOP', 'backend EPSV'],
      ['client failed 1', 'abort 1 other-leg', noData],
      ['backend: 229 ok (|||6000|)', 'transfer STOR client-reset 425 0', 'backend NOOP'],
    );
  });

  it('that listens is open before the command goes out', () => {
    activeClient().play(
      ['wait 29999'],
      ['client open 1', 'backend STOR f', 'relay 1 upload'],
      ['client failed 1', 'abort 1 other-leg'],
      ['backend: 226 done', broken, 'transfer STOR client-reset 426 0', 'backend NOOP'],
    );
  });

  it.each<[string, Step]>([
    [
      'refuses',
      ['client failed 1', 'abort 1 other-leg', noData, 'transfer STOR no-client-data 425 0', 'backend NOOP'],
    ],
    [
      'is silent',
      ['wait 30000', 'abort 1 other-leg', noData, 'transfer STOR no-client-data 425 0', 'backend NOOP'],
    ],
  ])('that %s is a 425, and the backend never hears of the command', (_, step) => {
    activeClient().play(step);
  });
});

describe('a backend leg', () => {
  it.each<[string, Step]>([
    ['never comes', ['wait 30000', 'abort 1 other-leg']],
    ['fails', ['backend failed 1', 'abort 1 other-leg']],
  ])('that %s is a 425, whatever the backend says', (_, step) => {
    activeBackend().play(step, [
      'backend: 226 done',
      noData,
      'transfer STOR no-backend-data 425 0',
      'backend NOOP',
    ]);
    activeBackend().play(step, [
      'backend: 425 no',
      'client 425 no',
      'transfer STOR no-backend-data 425 0',
      'backend NOOP',
    ]);
  });

  it('has no relay that could end before it was started', () => {
    retr(false).play(
      go,
      ['relay clean 1 5'],
      ['backend: 226 done'],
      ['client open 1', 'relay 1 download'],
      ['relay clean 1 5', 'client 226 done', 'transfer RETR ok 226 5'],
    );
  });

  it('that breaks before bytes could flow is a 425', () => {
    retr(false).play(
      ['backend failed 1', 'abort 1 other-leg'],
      ['backend: 550 no', 'client 550 no', 'transfer RETR refused 550 0'],
    );
  });
});

describe('a session that ends in the middle of a transfer', () => {
  it.each<[Step]>([
    [['backend end', ...end('backend-lost'), bye, ...closed('backend-closed')]],
    [['backend reset', ...end('backend-lost'), bye, ...closed('backend-reset', 'reset')]],
    [['backend: hello', ...end('backend-lost'), bye, ...closed('backend-protocol', 'reset')]],
    [['session shutdown', ...end('shutdown'), bye, ...closed('shutdown', 'reset')]],
    [['client end', ...end('client-lost'), ...closed('client-closed')]],
    [
      [
        'client reset',
        'abort 1 session-end',
        'transfer RETR client-lost - 9',
        'close client reset',
        'close backend fin',
        'session client-reset',
      ],
    ],
  ])('breaks the data: %s', (step) => {
    const scene = retr().play(go);
    scene.aborted = 9;
    scene.play(step);
    expect(scene.ends).toMatchObject([{ transfers: 1 }]);
  });

  it.each<[string, Step[]]>([
    [
      'the data were there',
      [
        ['relay clean 1 5'],
        ['backend end', broken, 'transfer RETR backend-lost 426 5', bye, ...closed('backend-closed')],
      ],
    ],
    [
      'the backend was content',
      [
        ['backend: 226 done'],
        [
          'backend end',
          'abort 1 session-end',
          broken,
          'transfer RETR backend-lost 426 0',
          bye,
          ...closed('backend-closed'),
        ],
      ],
    ],
  ])('does not call it a success although %s', (_, steps) => {
    retr().play(go, ...steps);
  });

  it('by 421 is told so', () => {
    retr().play(
      go,
      ['client: NOOP'],
      ['relay clean 1 5'],
      [
        'backend: 421 bye',
        'client 421 bye',
        'transfer RETR backend-error 421 5',
        ...closed('backend-closed'),
      ],
    );
    retr().play(go, [
      'backend: 421 bye',
      'client 421 bye',
      'abort 1 session-end',
      'transfer RETR backend-error 421 0',
      ...closed('backend-closed'),
    ]);
    retr().play(
      ['backend: 150 go\n226 done', 'client 150 go'],
      [
        'backend: 421 bye',
        'abort 1 session-end',
        broken,
        'transfer RETR backend-lost 426 0',
        'client 421 bye',
        ...closed('backend-closed'),
      ],
    );
  });

  it('ends behind it when it is drained', () => {
    retr().play(
      go,
      ['session drain'],
      ['client: NOOP'],
      ['relay clean 1 5'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 5', bye, ...closed('drained')],
    );
  });

  it('by QUIT has the transfer end first', () => {
    retr().play(
      go,
      ['client: QUIT'],
      ['client end'],
      ['relay clean 1 5'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 5', 'backend QUIT'],
      ['backend: 221 bye', 'client 221 bye', ...closed('quit')],
    );
  });
});
