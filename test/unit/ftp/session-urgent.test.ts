import { describe, expect, it } from 'vitest';
import { isStatusReply, verdictOn } from '../../../src/ftp/session-verdict.ts';
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

const reading = (): Scene => {
  const scene = retr();
  scene.aborted = 3;
  return scene;
};

const preparing = (): Scene => {
  const scene = loggedIn();
  for (const input of ['client: PASV', 'client listening 1', 'client open 1', 'client: RETR f']) {
    scene.send(input);
  }
  scene.take();
  return scene;
};

describe('ABOR', () => {
  const sent: Step[] = [go, ['client: ABOR', 'backend ABOR', 'abort 1 abor']];
  const aborted = 'transfer RETR client-abort 426 3';

  it.each<[string, Step[]]>([
    [
      '426 and 226',
      [
        ['backend: 426 broken', 'client 426 broken'],
        ['backend: 226 ok', 'client 226 ok', aborted],
      ],
    ],
    ['426 and 225 in one segment', [['backend: 426 a\n225 b', 'client 426 a', 'client 225 b', aborted]]],
    [
      '226 and 226, of which the first is no success',
      [
        ['backend: 226 a', broken],
        ['backend: 226 b', 'client 226 b', aborted],
      ],
    ],
    [
      '426 and 500',
      [
        ['backend: 426 a', 'client 426 a'],
        ['backend: 500 what?', 'client 500 what?', aborted],
      ],
    ],
  ])('breaks the data, goes out and is answered by %s', (_, replies) => {
    reading().play(...sent, ...replies, ['client: NOOP', 'backend NOOP']);
  });

  it('is found behind what is left of a Telnet interrupt', () => {
    reading().play(go, ['client: \xff\xf4\xff\xf2ABOR', 'backend ABOR', 'abort 1 abor']);
    reading().play(go, ['client: \xf2abor', 'backend abor', 'abort 1 abor']);
  });

  it.each([
    ['226', ['backend: 226 ok', broken]],
    ['426', ['backend: 426 broken', 'client 426 broken']],
  ] as const)(
    'that is answered once, by %s, is made sure of by a reply that cannot be its own',
    (_, once) => {
      reading().play(
        ...sent,
        once,
        ['wait 999'],
        ['wait 1', 'backend PWD'],
        ['client: NOOP'],
        ['backend: 257 "/" is here', 'client 226 Abort successful.', aborted, 'backend NOOP'],
      );
    },
  );

  it('that is answered late is answered before that reply, which the client never sees', () => {
    reading().play(
      ...sent,
      ['backend: 426 broken', 'client 426 broken'],
      ['client: NOOP'],
      ['wait 1000', 'backend PWD'],
      ['backend: 225 at last', 'client 225 at last'],
      ['wait 9999'],
      ['backend: 257 "/"', aborted, 'backend NOOP'],
      ['backend: 200 ok', 'client 200 ok'],
    );
    reading().play(
      ...sent,
      ['backend: 426 broken', 'client 426 broken'],
      ['client: STAT'],
      ['wait 1000', 'backend PWD'],
      ['backend: 225 at last', 'client 225 at last'],
      ['backend: 257 "/"', aborted, 'backend STAT'],
    );
    reading().play(
      ...sent,
      ['backend: 426 broken', 'client 426 broken'],
      ['wait 1000', 'backend PWD'],
      ['backend: 225 at last\n550 no PWD', 'client 225 at last', aborted],
      ['client: NOOP', 'backend NOOP'],
    );
  });

  it.each([
    ['nothing', []],
    ['an error, which may be its own', [['backend: 550 no', 'client 550 no']]],
    ['its own answer, and nothing behind it', [['backend: 225 ok', 'client 225 ok']]],
  ] as const)('that nobody can be sure of ends the session: %s', (_, steps) => {
    const last = steps.length > 0 ? [] : ['client 226 Abort successful.'];
    reading().play(
      ...sent,
      ['backend: 226 ok', broken],
      ['wait 1000', 'backend PWD'],
      ...(steps as readonly Step[]),
      ['wait 10000', ...last, aborted, bye, ...closed('reply-timeout', 'reset')],
    );
  });

  it('that is not answered ends the session', () => {
    reading().play(...sent, [
      'wait 10000',
      broken,
      'client 226 Abort successful.',
      aborted,
      bye,
      ...closed('reply-timeout', 'reset'),
    ]);
  });

  it('behind other commands takes effect at once, and goes out in its turn', () => {
    reading().play(
      go,
      ['client: NOOP\nABOR', 'abort 1 abor'],
      ['backend: 226 done', broken, aborted, 'backend NOOP'],
      ['backend: 200 ok', 'client 200 ok', 'backend ABOR'],
      ['backend: 225 nothing to abort', 'client 225 nothing to abort'],
    );
  });

  it('behind the next transfer is not for this one', () => {
    reading().play(
      go,
      ['client: PASV\nRETR g\nABOR'],
      ['relay clean 1 5'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 5', 'listen client 2 pasv'],
      [
        'client listening 2',
        'client 227 Entering Passive Mode (198,51,100,1,19,136).',
        'backend EPSV',
        'abort 2 abor',
        broken,
      ],
    );
  });

  it('behind a success that waits for its data turns it down', () => {
    reading().play(
      go,
      ['backend: 226 done'],
      ['client: ABOR', 'backend ABOR', 'abort 1 abor', broken],
      ['backend: 225 ok', 'client 225 ok', aborted],
    );
  });

  it('behind the data lets a success through', () => {
    retr().play(
      go,
      ['relay clean 1 5'],
      ['client: ABOR', 'backend ABOR'],
      ['backend: 226 done', 'client 226 done'],
      ['backend: 225 nothing', 'client 225 nothing', 'transfer RETR ok 226 5'],
    );
  });

  it('behind the data is not waited for as long as a success is', () => {
    retr().play(
      go,
      ['relay clean 1 5'],
      ['client: ABOR', 'backend ABOR'],
      ['backend: 226 done', 'client 226 done'],
      ['wait 1000', 'backend PWD'],
      [
        'wait 10000',
        'client 226 Abort successful.',
        'transfer RETR ok 226 5',
        bye,
        ...closed('reply-timeout', 'reset'),
      ],
    );
  });

  it('that nobody has read yet breaks nothing', () => {
    transfer('RETR f', true, { maxWaiting: 2 }).play(
      go,
      ['client: NOOP\nNOOP\nABOR', 'pause client'],
      ['relay clean 1 5'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 5', 'backend NOOP'],
    );
  });

  it('before the backend has heard of the transfer breaks it off here', () => {
    const told = 'transfer RETR client-abort 426 0';
    preparing().play(
      ['client: ABOR', 'abort 1 abor', broken],
      ['backend: 229 ok (|||6000|)', told, 'backend ABOR'],
      ['backend: 225 nothing', 'client 225 nothing'],
    );
    preparing().play(
      ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
      ['client: ABOR', 'abort 1 abor', broken, told, 'backend ABOR'],
      ['backend open 1'],
    );
    preparing().play(
      ['client: ABOR', 'abort 1 abor', broken],
      ['wait 10000', told, bye, ...closed('reply-timeout', 'reset')],
    );
  });

  it('ends the wait for the data of a transfer that was refused', () => {
    reading().play(
      go,
      ['backend: 552 full', 'client 552 full'],
      ['client: ABOR', 'abort 1 abor', 'transfer RETR backend-error 552 3', 'backend ABOR'],
    );
  });

  it('without a transfer passes as any other command', () => {
    loggedIn().play(['client: ABOR', 'backend ABOR'], ['backend: 226 ok', 'client 226 ok']);
  });

  it('can be denied', () => {
    transfer('RETR f', true, { denied: new Set(['ABOR']) }).play(
      go,
      ['client: ABOR'],
      ['relay clean 1 5'],
      [
        'backend: 226 done',
        'client 226 done',
        'transfer RETR ok 226 5',
        'refused denied ABOR',
        'client 550 Permission denied.',
      ],
    );
  });
});

describe('STAT', () => {
  const sent: Step[] = [go, ['client: STAT\nNOOP', 'backend STAT']];
  const done = 'transfer RETR ok 226 5';

  it.each<[string, Step[]]>([
    [
      'in the midst of the transfer',
      [
        ['backend: 211-busy\n211 end', 'client 211-busy\n211 end'],
        ['relay clean 1 5'],
        ['backend: 226 done', 'client 226 done', done, 'backend NOOP'],
      ],
    ],
    [
      'behind the transfer',
      [
        ['relay clean 1 5'],
        ['backend: 226 done', 'client 226 done'],
        ['backend: 211 idle', 'client 211 idle', done, 'backend NOOP'],
      ],
    ],
    [
      'while the success waits for its data',
      [
        ['backend: 226 done'],
        ['backend: 213 status', 'client 213 status'],
        ['relay clean 1 5', 'client 226 done', done, 'backend NOOP'],
      ],
    ],
    [
      'by an error that is not the transfer’s, and comes behind its reply',
      [
        ['backend: 502 no STAT'],
        ['relay clean 1 5'],
        ['backend: 226 done', 'client 226 done', 'client 502 no STAT', done, 'backend NOOP'],
      ],
    ],
    [
      'by an error behind the transfer',
      [
        ['relay clean 1 5'],
        ['backend: 226 done', 'client 226 done'],
        ['backend: 450 busy', 'client 450 busy', done, 'backend NOOP'],
      ],
    ],
  ])('passes during a transfer, and is answered %s', (_, steps) => {
    retr().play(...sent, ...steps);
  });

  it('is not taken for the transfer’s answer before that has begun', () => {
    retr().play(
      ['client: STAT', 'backend STAT'],
      ['backend: 501 no such transfer', 'client 501 no such transfer'],
      ['backend: 211 idle', 'client 211 idle', 'transfer RETR refused 501 0'],
    );
  });

  it('cannot be answered by the success of a transfer', () => {
    retr().play(
      ...sent,
      ['relay client-reset 1 5'],
      ['backend: 426 a', 'client 426 a'],
      ['backend: 226 done', 'transfer RETR client-reset 426 5', bye, ...closed('backend-protocol', 'reset')],
    );
  });

  it('that is not answered ends the session', () => {
    retr().play(
      ...sent,
      ['relay clean 1 5'],
      ['backend: 226 done', 'client 226 done'],
      ['wait 600000', done, bye, ...closed('reply-timeout', 'reset')],
    );
  });

  it('waits while the data connection is prepared', () => {
    loggedIn().play(
      ['client: PORT 192,0,2,7,19,136', 'client 200 PORT command successful.'],
      ['client: LIST\nSTAT', 'connect client 1 192.0.2.7:5000', 'backend EPSV'],
      ['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'],
      ['backend open 1'],
      ['client open 1', 'backend LIST', 'relay 1 download', 'backend STAT'],
      ['client: ABOR', 'abort 1 abor'],
      ['backend: 211 busy', 'client 211 busy', 'backend ABOR'],
      ['backend: 426 a\n226 b', 'client 426 a', 'client 226 b', 'transfer LIST client-abort 426 0'],
    );
  });
});

describe('the verdict on a transfer', () => {
  const ends = ['clean', 'client-reset', 'backend-reset', 'aborted', 'stalled'] as const;

  it('lets no success through but behind a clean end', () => {
    for (let code = 200; code < 600; code += 1) {
      const reply = { code, lines: [`${code} x`] };
      const isSuccess = code < 300;
      expect(verdictOn(reply, undefined)).toBe(isSuccess ? 'wait' : 'pass');
      for (const end of ends) {
        expect(verdictOn(reply, { end, bytes: 1 })).toBe(isSuccess && end !== 'clean' ? 'broken' : 'pass');
      }
    }
  });

  it('takes no code of a finished transfer for a status', () => {
    const codes = Array.from({ length: 500 }, (_, i) => i + 100).filter(isStatusReply);
    expect(codes).toEqual([211, 212, 213]);
  });

  it('says 425 where no data connection was', () => {
    retr(false).play(
      ['backend failed 1', 'abort 1 other-leg'],
      ['backend: 250 done', noData, 'transfer RETR backend-reset 425 0'],
    );
  });
});
