import { expect, test } from 'vitest';
import { defaultSocketPath } from '../../../src/observe/runtime-folder.ts';

const service = { RUNTIME_DIRECTORY: '/run/other' };
const session = { XDG_RUNTIME_DIR: '/run/user/1000' };

test.each([
  ['a service of systemd', { ...service, ...session }, 0, '/run/other/admin.sock'],
  ['one that is not root', service, 1000, '/run/other/admin.sock'],
  ['one with several folders', { RUNTIME_DIRECTORY: '/run/a:/run/b' }, 1000, '/run/a/admin.sock'],
  // What the shell of root says is not what the service is told.
  ['root', session, 0, '/run/tftp-lb/admin.sock'],
  ['a user', session, 1000, '/run/user/1000/tftp-lb/admin.sock'],
  ['a user without a session', {}, 1000, undefined],
  ['blank variables', { RUNTIME_DIRECTORY: '', XDG_RUNTIME_DIR: '' }, 1000, undefined],
  ['a relative path', { RUNTIME_DIRECTORY: 'run', XDG_RUNTIME_DIR: 'run' }, 1000, undefined],
  ['a system without users', {}, undefined, undefined],
] as const)('for %s', (_who, environment, user, expected) => {
  expect(defaultSocketPath(environment, user)).toBe(expected);
});
