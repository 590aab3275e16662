import { describe, expect, it } from 'vitest';
import { broken, bye, closed, go, loggedIn, type Scene, type Step, transfer } from './session-scene.ts';

const retr = (hasConnected?: boolean): Scene => transfer('RETR f', hasConnected);

const failedInTheMiddle = (): Scene =>
  transfer('STOR f').play(go, ['backend: 552 full', 'client 552 full'], ['client: NOOP'], ['wait 9999']);

describe('a transfer', () => {
  it.each<[string, string]>([
    ['RETR f', 'download'],
    ['STOR f', 'upload'],
    ['STOU', 'upload'],
    ['APPE f', 'upload'],
    ['LIST -l', 'download'],
    ['NLST', 'download'],
    ['MLSD d', 'download'],
  ])('%s is %s, and is reported', (command, direction) => {
    const scene = loggedIn();
    scene.play(
      ['client: TYPE i', 'backend TYPE i'],
      ['backend: 200 ok', 'client 200 ok'],
      ['client: PASV', 'listen client 1 pasv'],
    );
    for (const input of ['client listening 1', 'client open 1', `client: ${command}`]) scene.send(input);
    scene.take();
    scene.play(['backend: 229 ok (|||6000|)', 'connect backend 1 :6000'], ['wait 500']);
    scene.play(['backend open 1', `backend ${command}`, `relay 1 ${direction}`], go, ['wait 5000']);
    const verb = command.slice(0, 4);
    scene.play(['relay clean 1 77'], ['backend: 226 done', 'client 226 done', `transfer ${verb} ok 226 77`]);
    expect(scene.transfers).toEqual([
      {
        verb,
        path: command.slice(5),
        user: 'joe',
        direction,
        type: 'I',
        clientMode: 'passive',
        backendMode: 'passive',
        clientLevel: 'C',
        backendLevel: 'C',
        generation: 1,
        bytes: 77,
        startedAt: 1_000,
        endedAt: 6_500,
        result: 'ok',
        code: 226,
      },
    ]);
    expect(scene.session.deadline).toBe(6_500 + 300_000);
  });

  const done = ['client 226 done', 'transfer RETR ok 226 5'];
  it.each<[string, Step[]]>([
    [
      'data, then 150 and 226',
      [['relay clean 1 5'], ['backend: 150 go\n226 done', 'client 150 go', ...done]],
    ],
    [
      '150 and 226, then data',
      [
        ['backend: 150 go\n226 done', 'client 150 go'],
        ['relay clean 1 5', ...done],
      ],
    ],
    ['226 alone, then data', [['backend: 226 done'], ['relay clean 1 5', ...done]]],
    ['data, then 226 alone', [['relay clean 1 5'], ['backend: 226 done', ...done]]],
    [
      'a 226 that takes minutes',
      [go, ['wait 3000000'], ['relay clean 1 5'], ['wait 599999'], ['backend: 226 done', ...done]],
    ],
    [
      'two preliminary replies',
      [go, ['backend: 110 marker', 'client 110 marker'], ['relay clean 1 5'], ['backend: 226 done', ...done]],
    ],
  ])('is a success by %s', (_, steps) => {
    retr().play(...steps, ['client: NOOP', 'backend NOOP']);
  });

  it('is told in the words of the backend', () => {
    transfer('STOU').play(
      ['backend: 150 FILE: a.1', 'client 150 FILE: a.1'],
      ['relay clean 1 5'],
      ['backend: 250-stored\n250 as a.1', 'client 250-stored\n250 as a.1', 'transfer STOU ok 250 5'],
    );
  });

  const ends = ['client-reset', 'backend-reset', 'stalled', 'aborted'] as const;
  it.each(ends)('that ends by %s is never a success', (end) => {
    const result = end === 'aborted' ? 'shutdown' : end;
    const told = [broken, `transfer RETR ${result} 426 5`];
    retr().play(go, [`relay ${end} 1 5`], ['backend: 226 done', ...told], ['client: NOOP', 'backend NOOP']);
    retr().play(go, ['backend: 226 done'], [`relay ${end} 1 5`, ...told], ['client: NOOP', 'backend NOOP']);
    retr().play([`relay ${end} 1 5`], ['backend: 150 go\n226 done', 'client 150 go', ...told]);
    retr().play(
      go,
      [`relay ${end} 1 5`],
      ['backend: 426 broken', 'client 426 broken', `transfer RETR ${result} 426 5`],
    );
  });

  it.each<[string, string]>([
    ['client-reset', 'client-reset'],
    ['stalled', 'stalled'],
    ['backend-reset', 'backend-error'],
  ])('that ends by %s and then by an error is %s', (end, result) => {
    const told = ['client 451 disk', `transfer RETR ${result} 451 5`];
    retr().play(go, [`relay ${end} 1 5`], ['backend: 451 disk', ...told]);
  });

  it('that is refused is no broken one, whenever the backend closes its data connection', () => {
    const told = ['client 550 no', 'transfer RETR refused 550 0'];
    retr().play(['relay backend-reset 1 0'], ['backend: 550 no', ...told]);
    retr().play(['backend: 550 no', ...told], ['relay backend-reset 1 0']);
    retr().play(
      ['relay backend-reset 1 0'],
      ['backend: 425 no', 'client 425 no', 'transfer RETR backend-reset 425 0'],
    );
  });

  it('whose data broke is not waited for much longer', () => {
    transfer('STOR f').play(
      go,
      ['relay client-reset 1 5'],
      ['wait 9999'],
      ['wait 1', broken, 'transfer STOR client-reset 426 5', bye, ...closed('reply-timeout', 'reset')],
    );
  });

  it('whose final reply never comes is not a success', () => {
    transfer('STOR f').play(
      go,
      ['relay clean 1 5'],
      ['wait 599999'],
      ['wait 1', broken, 'transfer STOR reply-timeout 426 5', bye, ...closed('reply-timeout', 'reset')],
    );
  });

  it('lets nothing else out before it is over', () => {
    retr().play(
      go,
      ['client: NOOP\nDELE f\nPASV'],
      ['backend: 226 done'],
      ['relay clean 1 5', 'client 226 done', 'transfer RETR ok 226 5', 'backend NOOP'],
    );
  });

  it('has one final reply, and a second one ends the session', () => {
    retr().play(
      go,
      ['relay clean 1 5'],
      [
        'backend: 226 done\n250 again',
        'client 226 done',
        'transfer RETR ok 226 5',
        bye,
        ...closed('backend-protocol', 'reset'),
      ],
    );
    retr().play(go, [
      'backend: 226 done\n150 late',
      'abort 1 session-end',
      broken,
      'transfer RETR backend-lost 426 0',
      bye,
      ...closed('backend-protocol', 'reset'),
    ]);
    retr().play(go, [
      'backend: 226 done\n250 again',
      'abort 1 session-end',
      broken,
      'transfer RETR backend-lost 426 0',
      bye,
      ...closed('backend-protocol', 'reset'),
    ]);
  });
});

describe('an error', () => {
  it('in place of a transfer is told at once, and the data connections stay', () => {
    retr().play(
      ['backend: 550 no such file', 'client 550 no such file', 'transfer RETR refused 550 0'],
      ['client: RETR g', 'backend RETR g'],
      go,
      ['relay clean 1 5'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 5'],
      ['client: RETR g', 'refused no-data-channel RETR', 'client 425 Use PASV, EPSV, PORT or EPRT first.'],
    );
  });

  it('is told to a client that has not connected, which may still do so', () => {
    retr(false).play(
      ['backend: 550 no such file', 'client 550 no such file', 'transfer RETR refused 550 0'],
      ['wait 40000'],
      ['client: RETR g', 'backend RETR g'],
      ['wait 40000'],
      ['client open 1', 'relay 1 download'],
      ['relay clean 1 5'],
      ['backend: 226 done', 'client 226 done', 'transfer RETR ok 226 5'],
    );
    retr(false).play(
      ['backend: 550 no such file', 'client 550 no such file', 'transfer RETR refused 550 0'],
      ['wait 45000', 'abort 1 unused'],
    );
  });

  it('leaves a pair that is over when the backend closes it', () => {
    retr().play(
      ['backend: 550 no such file', 'client 550 no such file', 'transfer RETR refused 550 0'],
      ['relay clean 1 0'],
      ['client: LIST', 'refused no-data-channel LIST', 'client 425 Use PASV, EPSV, PORT or EPRT first.'],
    );
  });

  it('leaves a pair that can be used in the same direction alone', () => {
    retr().play(
      ['backend: 550 no', 'client 550 no', 'transfer RETR refused 550 0'],
      [
        'client: STOR g',
        'abort 1 replaced',
        'refused no-data-channel STOR',
        'client 425 Use PASV, EPSV, PORT or EPRT first.',
      ],
    );
  });

  it('of an active backend has its data connection asked for again', () => {
    const scene = loggedIn({ backendData: 'active' });
    for (const input of ['client: PASV', 'client listening 1', 'client open 1']) scene.send(input);
    scene.take();
    scene.play(
      ['client: RETR f', 'listen backend 1'],
      ['backend listening 1', 'backend PORT 10,0,0,1,19,136'],
      ['backend: 200 ok', 'backend RETR f'],
      ['backend: 550 no', 'client 550 no', 'transfer RETR refused 550 0'],
      ['client: RETR g', 'drop backend 1', 'listen backend 1'],
    );
  });

  it('in the middle is told at once, and the data have a little time to end', () => {
    failedInTheMiddle().play([
      'relay backend-reset 1 5',
      'transfer STOR backend-error 552 5',
      'backend NOOP',
    ]);
    failedInTheMiddle().play(['relay clean 1 5', 'transfer STOR backend-error 552 5', 'backend NOOP']);
    failedInTheMiddle().play([
      'wait 1',
      'abort 1 refused',
      'transfer STOR backend-error 552 0',
      'backend NOOP',
    ]);
  });

  it('in the middle needs no time where no data ever were', () => {
    retr(false).play(go, [
      'backend: 425 nobody came',
      'client 425 nobody came',
      'abort 1 refused',
      'transfer RETR backend-error 425 0',
    ]);
  });

  it('behind the data is told as it is', () => {
    transfer('STOR f').play(
      go,
      ['relay clean 1 5'],
      ['backend: 451 quota', 'client 451 quota', 'transfer STOR backend-error 451 5'],
    );
  });

  it('that asks for an account is one', () => {
    transfer('STOR f').play(
      ['backend: 332 account', 'client 332 account', 'transfer STOR refused 332 0'],
      ['client: ACCT x', 'backend ACCT x'],
    );
  });
});
