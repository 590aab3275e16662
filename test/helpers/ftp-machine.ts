import type { CreateFtpMachine } from '../../src/engine/ftp-session-host.ts';
import type { FtpEffects, FtpInputs, FtpSessionOptions, SessionRecord } from '../../src/ftp/effects.ts';

type Told = readonly [input: string, ...details: unknown[]];

/** Stands in for a session machine: writes down what it is told, and the test has the effects done. */
export class FakeMachine {
  readonly options: FtpSessionOptions;
  readonly effects: FtpEffects;
  /** Without the time, which is the last detail of each. */
  readonly told: Told[] = [];
  deadline: number = Infinity;
  /** What is done when it is told, after it was written down. */
  onTold: (input: string) => void = () => undefined;

  constructor(options: FtpSessionOptions, effects: FtpEffects) {
    this.options = options;
    this.effects = effects;
  }

  /** How often it was told. */
  count(input: string): number {
    return this.told.filter(([name]) => name === input).length;
  }

  last(input: string): Told | undefined {
    return this.told.findLast(([name]) => name === input);
  }

  end(record: Partial<SessionRecord> = {}): void {
    this.effects.closeClient('fin');
    this.effects.closeBackend('fin');
    this.effects.sessionEnded({
      end: 'quit',
      user: '',
      isLoggedIn: false,
      tries: 1,
      commands: 0,
      transfers: 0,
      startedAt: 0,
      endedAt: 1,
      ...record,
    });
  }
}

/** Makes fake machines and keeps them. */
export function fakeMachines(): { readonly create: CreateFtpMachine; readonly machines: FakeMachine[] } {
  const machines: FakeMachine[] = [];
  const create: CreateFtpMachine = (options, effects) => {
    const machine = new FakeMachine(options, effects);
    machines.push(machine);
    return inputsOf(machine);
  };
  return { create, machines };
}

function inputsOf(machine: FakeMachine): FtpInputs {
  return new Proxy({} as FtpInputs, {
    get: (_, input: string) => {
      if (input === 'deadline') return machine.deadline;
      return (...details: unknown[]) => {
        machine.told.push([input, ...details.slice(0, -1)]);
        machine.onTold(input);
      };
    },
  });
}
