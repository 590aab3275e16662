/** A command for health checks that finds those servers alive that are not on its list. */
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from './folders.ts';

export class ProbeCommand {
  /** What checks TFTP servers with it. */
  readonly flag: string;
  readonly #list: string;

  /** `dead` is the name of the backend that is on the list. */
  constructor(dead: string) {
    const folder = temporaryFolder('probe');
    const program = path.join(folder, 'check');
    this.#list = path.join(folder, 'dead');
    this.flag = `--tftp-health-probe=exec:${program} {name}`;
    this.say(dead);
    writeFileSync(program, `#!/bin/sh\nexec grep -qvx "$1" ${this.#list}\n`);
    chmodSync(program, 0o755);
  }

  /** From the next check on, this one is on the list alone. */
  say(dead: string): void {
    writeFileSync(this.#list, `${dead}\n`);
  }
}
