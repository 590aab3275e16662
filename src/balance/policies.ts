import type { PolicyName } from '../engine/snapshot.ts';
import { First } from './first.ts';
import { KeyHash } from './key-hash.ts';
import { LeastSessions } from './least-sessions.ts';
import type { Policy, Pool } from './pool.ts';
import { RoundRobin } from './round-robin.ts';
import type { Scoreboard } from './scoreboard.ts';
import { TwoChoices } from './two-choices.ts';

/** Makes a policy for one pool; a changed pool gets a new one. `service` is the service's row in the scoreboard. */
export type PolicyFactory = (pool: Pool, scoreboard: Scoreboard, service: number) => Policy;

/** Every policy by the name that it has in the configuration. */
export const policies: Readonly<Record<PolicyName, PolicyFactory>> = {
  'round-robin': (pool, scoreboard, service) => new RoundRobin(pool, scoreboard, service),
  'least-sessions': (pool, scoreboard, service) => new LeastSessions(pool, scoreboard, service),
  'two-choices': (pool, scoreboard, service) => new TwoChoices(pool, scoreboard, service),
  'source-hash': (pool) => new KeyHash(pool, ({ client }) => client),
  'file-hash': (pool) => new KeyHash(pool, ({ file }) => file),
  'user-hash': (pool) => new KeyHash(pool, ({ user }) => user),
  first: () => new First(),
};
