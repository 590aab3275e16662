/**
 * What becomes of a client's command.
 *
 * Rules
 *  1. What would turn a channel into something that we cannot follow is refused, whatever the backend thinks of it.
 *  2. PASV, EPSV, PORT and EPRT are answered here and never reach a backend.
 *  3. A data connection goes to the address that the command came from, and to no port below 1024: no bounce attack
 *     (RFC 2577 section 3). It is there for those alone who have logged in.
 *  4. Everything else passes, also what we do not know.
 */
import { parseAddress, sameAddress } from './addresses.ts';
import { type Command, isReading, refusedVerbs, securityVerbs, transferVerbs } from './commands.ts';
import type { DataAddress, Direction, FtpRefusal, FtpSessionOptions } from './effects.ts';
import { type DataEndpoint, parseEprt, parseEpsv, parsePort, type Refused } from './endpoints.ts';
import type { Answer } from './errors.ts';
import type { FeatureChanges } from './features.ts';
import * as answers from './session-answers.ts';
import type { SessionContext } from './session-context.ts';
import type { ProtectionLevel } from './session-security.ts';
import { securityRule } from './session-security-rules.ts';

export type Action =
  | { readonly kind: 'refuse'; readonly reason: FtpRefusal; readonly answer: Answer }
  | { readonly kind: 'listen'; readonly form: 'pasv' | 'epsv' }
  | { readonly kind: 'epsv-all' }
  /** The client listens. */
  | { readonly kind: 'target'; readonly to: DataAddress }
  | { readonly kind: 'transfer'; readonly direction: Direction }
  /** The control connection goes under TLS. */
  | { readonly kind: 'authenticate' }
  | { readonly kind: 'buffer-size' }
  | { readonly kind: 'protect'; readonly level: ProtectionLevel }
  | { readonly kind: 'forward' };

const uploads: ReadonlySet<string> = new Set(['STOR', 'STOU', 'APPE']);
const dataVerbs: ReadonlySet<string> = new Set(['PASV', 'EPSV', 'PORT', 'EPRT']);
/** They set facts of files (RFC 3659, draft-somers-ftp-mfxx), or write in other ways. */
const writingFeatures = ['MFMT', 'MFCT', 'MFF', 'COMB'];
const firstUserPort = 1024;

/** What a command is judged by. */
export type Subject = Pick<SessionContext, 'facts' | 'options' | 'security'>;

type Rule = (command: Command, subject: Subject) => Action | undefined;

/** The first that has something to say decides. */
const rules: readonly Rule[] = [
  unsupported,
  denied,
  securityRule,
  extendedPassiveOnly,
  activeMode,
  notLoggedIn,
  dataCommand,
];

export function actionFor(command: Command, subject: Subject): Action {
  for (const rule of rules) {
    const action = rule(command, subject);
    if (action !== undefined) return action;
  }
  if (!transferVerbs.has(command.verb)) return { kind: 'forward' };
  return { kind: 'transfer', direction: uploads.has(command.verb) ? 'upload' : 'download' };
}

/** What FEAT may promise through us. */
export function featureChanges(options: FtpSessionOptions): FeatureChanges {
  const isPassiveOnly = options.clientModes === 'passive';
  const removed = [...securityVerbs, ...refusedVerbs, ...options.denied];
  if (options.isReadOnly) removed.push(...writingFeatures);
  if (isPassiveOnly) removed.push('EPRT', 'PORT');
  const added = new Set(isPassiveOnly ? ['EPSV'] : ['EPRT', 'EPSV']);
  const own = options.security.client === 'off' ? [] : ['AUTH TLS', 'PBSZ', 'PROT'];
  const isAllowed = (line: string): boolean => !options.denied.has(line.replace(/ .*$/, ''));
  return { removed: new Set(removed), added, own: own.filter((line) => isAllowed(line)) };
}

function unsupported({ verb }: Command): Action | undefined {
  return refusedVerbs.has(verb) ? refuse('unsupported', answers.notImplemented) : undefined;
}

function denied(command: Command, { options }: Subject): Action | undefined {
  if (options.denied.has(command.verb)) return refuse('denied', answers.notPermitted);
  if (options.isReadOnly && !isReading(command)) return refuse('read-only', answers.readOnly);
  return undefined;
}

function extendedPassiveOnly({ verb }: Command, { facts }: Subject): Action | undefined {
  const isRefused = facts.isExtendedPassiveOnly && dataVerbs.has(verb) && verb !== 'EPSV';
  return isRefused ? refuse('epsv-all', answers.extendedPassiveOnly) : undefined;
}

function activeMode({ verb }: Command, { options }: Subject): Action | undefined {
  const isRefused = options.clientModes === 'passive' && (verb === 'PORT' || verb === 'EPRT');
  return isRefused ? refuse('active-mode', answers.passiveOnly) : undefined;
}

function notLoggedIn({ verb }: Command, { facts }: Subject): Action | undefined {
  const isRefused = !facts.isLoggedIn && (dataVerbs.has(verb) || transferVerbs.has(verb));
  return isRefused ? refuse('not-logged-in', answers.notLoggedIn) : undefined;
}

function dataCommand(command: Command, { options }: Subject): Action | undefined {
  const family = familyOf(options.client);
  switch (command.verb) {
    case 'PASV':
      return family === 4 ? { kind: 'listen', form: 'pasv' } : refuse('bad-endpoint', answers.pasvIsIpv4);
    case 'EPSV':
      return extendedPassive(command.argument, family);
    case 'PORT':
      if (family === 6) return refuse('bad-endpoint', answers.portIsIpv4);
      return target(parsePort(command.argument), options);
    case 'EPRT':
      return target(parseEprt(command.argument, family), options);
    default:
      return undefined;
  }
}

function extendedPassive(argument: string, family: 4 | 6): Action {
  const asked = parseEpsv(argument, family);
  if (asked.kind === 'refused') return refuse('bad-endpoint', asked.answer);
  return asked.kind === 'all' ? { kind: 'epsv-all' } : { kind: 'listen', form: 'epsv' };
}

function target(asked: DataEndpoint | Refused, options: FtpSessionOptions): Action {
  if (asked.kind === 'refused') return refuse('bad-endpoint', asked.answer);
  const isForeign = options.portAddress === 'client' && !sameAddress(asked.address, options.client);
  if (isForeign) return refuse('foreign-address', answers.portOfOthers);
  if (asked.port < firstUserPort) return refuse('privileged-port', answers.privilegedPort);
  // The control connection's address in any case: it has the zone of a link-local one.
  return { kind: 'target', to: { address: options.client, port: asked.port } };
}

function refuse(reason: FtpRefusal, answer: Answer): Action {
  return { kind: 'refuse', reason, answer };
}

/** An IPv4-mapped address is an IPv4 address; what has a zone is none. */
function familyOf(address: string): 4 | 6 {
  return parseAddress(address)?.family === 4 ? 4 : 6;
}
