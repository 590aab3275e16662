import { describe, expect, it } from 'vitest';
import { type FtpSessionOptions, type SecurityPolicy, withoutTls } from '../../../src/ftp/effects.ts';
import { login, Scene, type Step } from './session-scene.ts';

const closing = '421 Service not available, closing control connection.';
const accepted = 'client 234 AUTH successful, TLS begins now.';

function scene(policy: Partial<SecurityPolicy>, options: Partial<FtpSessionOptions> = {}): Scene {
  const scene = new Scene({ security: { ...withoutTls, ...policy }, ...options });
  scene.take();
  return scene;
}

const greeting: readonly Step[] = [
  ['backend connected'],
  ['backend: 220 hello', 'greeted', 'client 220 hello'],
];
const auth: Step = ['client: AUTH TLS', accepted, 'secure client'];

/** An answer of our own that is a refusal. */
function refused(command: string, reason: string, answer: string): Step {
  return [`client: ${command}`, `refused ${reason} ${command.split(' ', 1)[0]}`, `client ${answer}`];
}

describe('AUTH', () => {
  it.each(['TLS', 'tls', 'TLS-C', 'SSL'])('%s puts the client under TLS', (mechanism) => {
    scene({ client: 'allowed' }).play(...greeting, [`client: AUTH ${mechanism}`, accepted, 'secure client']);
  });

  it('is refused where there is no TLS, with a mechanism that is none, a second time, and behind the login', () => {
    scene({}).play(...greeting, refused('AUTH TLS', 'unsupported', '502 Command not implemented.'));
    scene({ client: 'allowed' }).play(
      ...greeting,
      refused('AUTH GSSAPI', 'bad-security', '504 TLS is the only mechanism.'),
      refused('AUTH', 'bad-security', '504 TLS is the only mechanism.'),
      auth,
      refused('AUTH TLS', 'bad-security', '503 TLS is in use already.'),
    );
    scene({ client: 'allowed' }).play(
      ...login,
      refused('AUTH TLS', 'bad-security', '503 AUTH comes before the login.'),
    );
  });

  it.each(['AUTH TLS\nUSER joe', 'AUTH TLS\nUSER', 'AUTH TLS\n\u0016\u0003\u0001'])(
    'with something behind it in clear ends the session: %j',
    (said) => {
      scene({ client: 'allowed' }).play(...greeting, [
        `client: ${said}`,
        `client ${closing}`,
        'close client fin',
        'close backend fin',
        'session tls-injection',
      ]);
    },
  );

  it('may be denied as any command', () => {
    scene({ client: 'allowed' }, { denied: new Set(['AUTH']) }).play(
      ...greeting,
      refused('AUTH TLS', 'denied', '550 Permission denied.'),
    );
  });

  it('is followed by a first line again, which is looked at for other protocols', () => {
    scene({ client: 'allowed' }).play(...greeting, auth, [
      'client: GET / HTTP/1.1',
      `client ${closing}`,
      'close client fin',
      'close backend fin',
      'session http',
    ]);
  });
});

describe('PBSZ, PROT and CCC', () => {
  it('need each other in their order', () => {
    scene({ client: 'allowed' }).play(
      ...greeting,
      refused('PBSZ 0', 'bad-security', '503 Use AUTH TLS first.'),
      refused('PROT P', 'bad-security', '503 Use AUTH TLS first.'),
      refused('CCC', 'bad-security', '503 Use AUTH TLS first.'),
      auth,
      refused('PROT P', 'bad-security', '503 Use PBSZ first.'),
      refused('PBSZ x', 'bad-security', '501 Syntax error in parameters or arguments.'),
      ['client: PBSZ 0', 'client 200 PBSZ=0'],
      ['client: PROT P', 'protect client', 'client 200 PROT P successful.'],
      ['client: PROT C', 'bare client', 'client 200 PROT C successful.'],
      refused('PROT S', 'bad-security', '536 TLS has the levels C and P alone.'),
      refused('PROT X', 'bad-security', '504 The levels are C and P.'),
      refused('CCC', 'bad-security', '533 The control connection stays protected.'),
      refused('ADAT x', 'unsupported', '502 Command not implemented.'),
      refused('REIN', 'unsupported', '502 Command not implemented.'),
    );
  });

  it('of another level breaks what was opened for data', () => {
    const session = scene({ client: 'allowed', isClientImplicit: true }).play(
      ...login,
      ['client: PBSZ 0', 'client 200 PBSZ=0'],
      ['client: PASV', 'listen client 1 pasv'],
      ['client listening 1', 'client 227 Entering Passive Mode (198,51,100,1,19,136).'],
      ['client: PROT P', 'abort 1 replaced', 'protect client', 'client 200 PROT P successful.'],
    );
    session.play([
      'client: RETR f',
      'refused no-data-channel RETR',
      'client 425 Use PASV, EPSV, PORT or EPRT first.',
    ]);
  });
});

describe('TLS that is required', () => {
  it('comes before all but harmless commands', () => {
    const wish = '530 TLS is required, use AUTH TLS first.';
    scene({ client: 'required' }).play(
      ...greeting,
      refused('USER joe', 'tls-required', wish),
      refused('PASS x', 'tls-required', wish),
      refused('SITE x', 'tls-required', wish),
      ['client: NOOP', 'backend NOOP'],
      ['backend: 200 fine', 'client 200 fine'],
      auth,
      ['client: USER joe', 'backend USER joe'],
    );
  });

  it('for data, comes before transfers', () => {
    const policy = { client: 'required', isClientImplicit: true, isClientDataRequired: true } as const;
    scene(policy).play(
      ...login,
      refused('LIST', 'tls-required', '521 Data connections have to be protected, use PROT P first.'),
      ['client: PBSZ 0', 'client 200 PBSZ=0'],
      refused('PROT C', 'tls-required', '534 Data connections have to be protected.'),
    );
  });
});

describe('FEAT', () => {
  const features: Step = [
    'backend: 211-F\n AUTH SSL\n SIZE\n PROT\n211 E',
    'client 211-F\n SIZE\n EPRT\n EPSV\n211 E',
  ];

  it('has what we have, whatever the backend has', () => {
    const own = 'client 211-F\n SIZE\n EPRT\n EPSV\n AUTH TLS\n PBSZ\n PROT\n211 E';
    scene({}).play(...greeting, ['client: FEAT', 'backend FEAT'], features);
    scene({ client: 'allowed' }).play(...greeting, ['client: FEAT', 'backend FEAT'], [features[0], own]);
  });

  it('does not promise what is denied', () => {
    const own = 'client 211-F\n SIZE\n EPRT\n EPSV\n PBSZ\n PROT\n211 E';
    const denied = new Set(['AUTH']);
    scene({ client: 'allowed' }, { denied }).play(
      ...greeting,
      ['client: FEAT', 'backend FEAT'],
      [features[0], own],
    );
  });
});

const greeted = ['greeted', 'client 220 hello'] as const;
const fails = ['close backend reset', 'failed tls', 'connect'] as const;

describe('a backend under TLS', () => {
  it('is put there before the client hears of it', () => {
    scene({ backend: 'required' }).play(
      ['backend connected'],
      ['backend: 220 hello', 'backend AUTH TLS'],
      ['client: USER joe'],
      ['backend: 234 go', 'secure backend', 'backend PBSZ 0'],
      ['backend: 200 0', 'backend PROT P'],
      ['backend: 200 P', 'protect backend', ...greeted, 'backend USER joe'],
    );
  });

  it('may be so from the beginning', () => {
    scene({ backend: 'required', isBackendImplicit: true }).play(
      ['backend connected', 'secure backend'],
      ['backend: 120 wait'],
      ['backend: 220 hello', 'backend PBSZ 0'],
      ['backend: 500 what', 'backend PROT P'],
      ['backend: 200 P', 'protect backend', ...greeted],
    );
  });

  it('may have its data in clear', () => {
    scene({ backend: 'required', backendData: 'C' }).play(
      ['backend connected'],
      ['backend: 220 hello', 'backend AUTH TLS'],
      ['backend: 234 go', 'secure backend', ...greeted],
    );
  });

  it('is of no use if it refuses, says more in clear, or keeps silent', () => {
    const begin: readonly Step[] = [['backend connected'], ['backend: 220 hello', 'backend AUTH TLS']];
    scene({ backend: 'required' }).play(...begin, ['backend: 500 what', ...fails]);
    scene({ backend: 'required' }).play(...begin, ['backend: 234 go\n230 in', ...fails]);
    scene({ backend: 'required' }).play(...begin, [
      'backend: 421 no',
      'close backend reset',
      'failed refused',
      'connect',
    ]);
    scene({ backend: 'required' }).play(...begin, [
      'backend reset',
      'close backend reset',
      'failed closed',
      'connect',
    ]);
    scene({ backend: 'required' }).play(...begin, [
      'wait 10000',
      'close backend reset',
      'failed silent',
      'connect',
    ]);
    scene({ backend: 'required' }).play(
      ...begin,
      ['backend: 234 go', 'secure backend', 'backend PBSZ 0'],
      ['backend: 200 0', 'backend PROT P'],
      ['backend: 536 no', ...fails],
    );
  });

  it('is asked for anew at the next one, which begins in clear', () => {
    scene({ backend: 'required' }).play(
      ['backend connected'],
      ['backend: 220 hello', 'backend AUTH TLS'],
      ['backend: 234 go', 'secure backend', 'backend PBSZ 0'],
      ['backend reset', 'close backend reset', 'failed closed', 'connect'],
      ['backend connected'],
      ['backend: 220 hello', 'backend AUTH TLS'],
    );
  });

  it('stays in clear with `auto` if it does not know better', () => {
    scene({ backend: 'auto' }).play(
      ['backend connected'],
      ['backend: 220 hello', 'backend AUTH TLS'],
      ['backend: 500 what', ...greeted],
    );
    scene({ backend: 'auto' }).play(
      ['backend connected'],
      ['backend: 220 hello', 'backend AUTH TLS'],
      ['backend: 234 go', 'secure backend', 'backend PBSZ 0'],
      ['backend: 200 0', 'backend PROT P'],
      ['backend: 536 no', ...greeted],
    );
  });
});

describe('a backend that is to match the client', () => {
  const policy = { client: 'allowed', backend: 'match', backendData: 'match' } as const;

  it('is in clear as long as the client is, and follows it', () => {
    scene(policy).play(
      ...greeting,
      ['client: AUTH TLS', 'backend AUTH TLS'],
      ['backend: 234 go', 'secure backend', accepted, 'secure client'],
      ['client: PBSZ 0', 'client 200 PBSZ=0'],
      ['client: PROT P', 'backend PBSZ 0'],
      ['backend: 200 0', 'backend PROT P'],
      ['backend: 200 P', 'protect backend', 'protect client', 'client 200 PROT P successful.'],
      ['client: PROT C', 'backend PROT C'],
      ['backend: 200 C', 'bare backend', 'bare client', 'client 200 PROT C successful.'],
    );
  });

  it('keeps the client in clear if it refuses', () => {
    scene(policy).play(
      ...greeting,
      ['client: AUTH TLS', 'backend AUTH TLS'],
      ['backend: 502 no', 'client 431 The server behind does not protect it.'],
      ['client: USER joe', 'backend USER joe'],
    );
  });

  it('is injected nothing while the client waits', () => {
    scene(policy).play(
      ...greeting,
      ['client: AUTH TLS', 'backend AUTH TLS'],
      ['client: USER joe'],
      [
        'backend: 234 go',
        'secure backend',
        `client ${closing}`,
        'close client fin',
        'close backend fin',
        'session tls-injection',
      ],
    );
  });
});

describe('where the backend depends on the user', () => {
  it('AUTH is answered before there is one, and FEAT has it', () => {
    const session = new Scene({ isByUser: true, security: { ...withoutTls, client: 'required' } });
    session.play(
      ['wait 0', 'client 220 Service ready for new user.'],
      refused('USER joe', 'tls-required', '530 TLS is required, use AUTH TLS first.'),
      auth,
      ['client: PBSZ 0', 'client 200 PBSZ=0'],
      ['client: PROT P', 'protect client', 'client 200 PROT P successful.'],
      ['client: USER joe', 'connect joe'],
    );
  });
});

it('a header of the PROXY protocol from a client ends the session', () => {
  const session = scene({}).play(...greeting, [
    'client: PROXY TCP4 192.0.2.1 192.0.2.2 1 2',
    `client ${closing}`,
    'close client fin',
    'close backend fin',
    'session proxy-header',
  ]);
  expect(session.ends).toHaveLength(1);
});
