import { arch, cpus, release, totalmem } from 'node:os';

/** Nothing in it tells whose machine it is. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  /** Bytes. */
  readonly memory: number;
  readonly architecture: string;
  readonly kernel: string;
  readonly node: string;
}

export function describeMachine(): Machine {
  const processors = cpus();
  return {
    cpu: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memory: totalmem(),
    architecture: arch(),
    kernel: release(),
    node: process.versions.node,
  };
}
