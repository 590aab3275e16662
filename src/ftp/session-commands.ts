import type { Command } from './commands.ts';
import type { Direction } from './effects.ts';
import { epsvAllAccepted, targetAccepted, useDataCommand, usePassive } from './session-answers.ts';
import type { SessionContext, Work } from './session-context.ts';
import { ForwardedCommand } from './session-forward.ts';
import { ListenRequest } from './session-listen.ts';
import { type Action, actionFor } from './session-rules.ts';
import { Transfer } from './session-transfer.ts';

type OwnAnswer = Extract<Action, { kind: 'refuse' | 'epsv-all' | 'target' }>;

/** Begins what a command asks for. Undefined: it was answered at once. */
export function begin(context: SessionContext, command: Command, now: number): Work | undefined {
  const action = actionFor(command, context.facts, context.options);
  if (action.kind === 'forward') return new ForwardedCommand(context, command, now);
  if (action.kind === 'listen') return new ListenRequest(context, action.form, now);
  if (action.kind === 'transfer') return beginTransfer(context, command, action.direction, now);
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
    case 'target':
      data.target(action.to);
      voice.answer(targetAccepted(command.verb));
  }
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
