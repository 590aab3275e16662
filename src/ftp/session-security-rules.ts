/**
 * What becomes of AUTH, PBSZ, PROT, CCC and ADAT, and of all that TLS has to come before.
 *
 *   AUTH TLS ──234──▶ (handshake) ──▶ PBSZ 0 ──200──▶ PROT P ──200──▶ data connections are under TLS
 *
 * Rules
 *  1. AUTH comes before the login: who has said a password in clear has no use for TLS any more, and what was agreed on
 *     in clear counts for nothing within it. It comes once: there is no way back to clear text (CCC gets 533).
 *  2. PROT needs PBSZ in front of it, and both need TLS (RFC 4217 section 9).
 *  3. REIN would end TLS on one leg and perhaps not on the other: there is none under TLS.
 */
import { type Command, securityVerbs, transferVerbs } from './commands.ts';
import type { Answer } from './errors.ts';
import * as answers from './session-answers.ts';
import type { Action, Subject } from './session-rules.ts';

/** What a client may say before TLS where that is required: nothing that is a secret or changes anything. */
const harmless = ['CLNT', 'FEAT', 'HELP', 'HOST', 'LANG', 'NOOP', 'OPTS', 'QUIT', 'SYST'] as const;
const clearVerbs: ReadonlySet<string> = new Set([...securityVerbs, ...harmless]);
/** RFC 4217 section 16, and the name that clients have from a draft of it. TLS-P is gone from the registry. */
const mechanisms: ReadonlySet<string> = new Set(['TLS', 'TLS-C', 'SSL']);
const levels: Readonly<Record<string, 'C' | 'P'>> = { C: 'C', P: 'P' };

export function securityRule(command: Command, subject: Subject): Action | undefined {
  const { verb } = command;
  const { policy, isClientSecure, isBackendSecure } = subject.security;
  if (verb === 'REIN' && (isClientSecure || isBackendSecure)) return unsupported;
  if (policy.client === 'off') return securityVerbs.has(verb) ? unsupported : undefined;
  if (securityVerbs.has(verb)) return negotiation(command, subject);
  if (policy.client === 'required' && !isClientSecure && !clearVerbs.has(verb)) {
    return { kind: 'refuse', reason: 'tls-required', answer: answers.tlsRequired };
  }
  const isBare = policy.isClientDataRequired && subject.security.clientLevel === 'C';
  if (!isBare || !transferVerbs.has(verb)) return undefined;
  return { kind: 'refuse', reason: 'tls-required', answer: answers.protectionRequired };
}

function negotiation({ verb, argument }: Command, subject: Subject): Action {
  const { isClientSecure, hasBufferSize } = subject.security;
  if (verb === 'AUTH') return authentication(argument, subject);
  if (verb === 'ADAT') return unsupported;
  if (!isClientSecure) return refuse(answers.authFirst);
  if (verb === 'CCC') return refuse(answers.staysSecure);
  if (verb === 'PBSZ')
    return /^\s*\d{1,10}\s*$/.test(argument) ? { kind: 'buffer-size' } : refuse(answers.argumentMissing);
  return hasBufferSize ? protection(argument, subject) : refuse(answers.bufferSizeFirst);
}

function authentication(argument: string, { security, facts }: Subject): Action {
  if (security.isClientSecure) return refuse(answers.secureAlready);
  if (facts.isLoggedIn) return refuse(answers.authTooLate);
  return mechanisms.has(argument.trim().toUpperCase())
    ? { kind: 'authenticate' }
    : refuse(answers.mechanismUnknown);
}

function protection(argument: string, { security }: Subject): Action {
  const name = argument.trim().toUpperCase();
  if (name === 'S' || name === 'E') return refuse(answers.levelUnsupported);
  const level = levels[name];
  if (level === undefined) return refuse(answers.levelUnknown);
  const isTooLow = level === 'C' && security.policy.isClientDataRequired;
  return isTooLow
    ? { kind: 'refuse', reason: 'tls-required', answer: answers.levelTooLow }
    : { kind: 'protect', level };
}

const unsupported: Action = { kind: 'refuse', reason: 'unsupported', answer: answers.notImplemented };

function refuse(answer: Answer): Action {
  return { kind: 'refuse', reason: 'bad-security', answer };
}
