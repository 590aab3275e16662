import type { Command } from './commands.ts';
import type { Direction } from './effects.ts';
import {
  epsvAllAccepted,
  noBackendSecurity,
  settled,
  targetAccepted,
  useDataCommand,
  usePassive,
} from './session-answers.ts';
import type { SessionContext, Work } from './session-context.ts';
import { ForwardedCommand } from './session-forward.ts';
import { ListenRequest } from './session-listen.ts';
import { Matching } from './session-matching.ts';
import { type Action, actionFor } from './session-rules.ts';
import type { ProtectionLevel } from './session-security.ts';
import { Transfer } from './session-transfer.ts';

type OwnAnswer = Extract<Action, { kind: 'refuse' | 'epsv-all' | 'target' | 'buffer-size' }>;

/** Begins what a command asks for. Undefined: it was answered at once. */
export function begin(context: SessionContext, command: Command, now: number): Work | undefined {
  const action = actionFor(command, context);
  if (action.kind === 'forward') return new ForwardedCommand(context, command, now);
  if (action.kind === 'listen') return new ListenRequest(context, action.form, now);
  if (action.kind === 'transfer') return beginTransfer(context, command, action.direction, now);
  if (action.kind === 'authenticate') return authenticate(context, now);
  if (action.kind === 'protect') return protect(context, action.level, now);
  answer(context, command, action);
  return undefined;
}

function answer(context: SessionContext, command: Command, action: OwnAnswer): void {
  const { effects, voice, facts, data } = context;
  switch (action.kind) {
    case 'refuse':
      effects.refused(action.reason, command.verb);
      voice.answer(action.answer);
      return;
    case 'epsv-all':
      facts.isExtendedPassiveOnly = true;
      voice.answer(epsvAllAccepted);
      return;
    case 'buffer-size':
      context.security.hasBufferSize = true;
      voice.answer(settled('PBSZ=0'));
      return;
    case 'target':
      data.target(action.to);
      voice.answer(targetAccepted(command.verb));
  }
}

/** A backend that has greeted comes first where it is to match the client. */
function authenticate(context: SessionContext, now: number): Work | undefined {
  const { security, voice } = context;
  const isOwed = security.policy.backend === 'match' && context.hasBackend();
  if (!isOwed) {
    context.secureClient(now);
    return undefined;
  }
  security.isClientSecure = true;
  return new Matching(
    context,
    (isMatched, later) => {
      security.isClientSecure = isMatched;
      if (isMatched) context.secureClient(later);
      else voice.answer(noBackendSecurity);
    },
    now,
  );
}

/** What was opened for data has the level that it was opened with, and is of no use with another. */
function protect(context: SessionContext, level: ProtectionLevel, now: number): Work | undefined {
  const { security, data, voice, effects } = context;
  const before = security.clientLevel;
  if (level !== before) data.abandon('replaced');
  const settle = (isMatched: boolean): void => {
    security.clientLevel = isMatched ? level : before;
    effects.protectData('client', security.clientLevel === 'P');
    voice.answer(isMatched ? settled(`PROT ${level} successful.`) : noBackendSecurity);
  };
  security.clientLevel = level;
  const isOwed =
    security.policy.backendData === 'match' && security.wantedBackendLevel !== security.backendLevel;
  if (isOwed) return new Matching(context, settle, now);
  settle(true);
  return undefined;
}

/** A pair whose bytes have begun to flow one way is of no use for the other. */
function beginTransfer(
  context: SessionContext,
  command: Command,
  direction: Direction,
  now: number,
): Work | undefined {
  const { effects, voice, data, options } = context;
  const { pair } = data;
  if (pair !== undefined && (pair.direction ?? direction) === direction) {
    return new Transfer(context, pair, { command, direction }, now);
  }
  data.abandon('replaced');
  effects.refused('no-data-channel', command.verb);
  voice.answer(options.clientModes === 'passive' ? usePassive : useDataCommand);
  return undefined;
}
