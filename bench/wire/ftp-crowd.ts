/** The kinds of load on FTP, each as a crowd of sessions. */
import type { FtpFaults, FtpLoad } from '../ftp-messages.ts';
import { FtpControl } from './ftp-control.ts';
import { download, upload } from './ftp-transfers.ts';

/** Sessions that open at the same time where hundreds are wanted. */
const maxOpening = 16;
/** How often one is opened: some programs turn away whom they cannot serve at the moment. */
const maxAttempts = 10;

/** Sessions that do what a load says. */
export class FtpCrowd {
  readonly #port: number;
  readonly #load: FtpLoad;
  readonly #isSecure: boolean;
  readonly #sessions: FtpControl[] = [];
  #repeats = 0;
  #errors = 0;

  constructor(port: number, load: FtpLoad, isSecure: boolean = false) {
    this.#port = port;
    this.#load = load;
    this.#isSecure = isSecure;
  }

  get faults(): FtpFaults {
    return { repeats: this.#repeats, errors: this.#errors };
  }

  /** Logs in what has to be there before the clock starts. */
  async open(): Promise<void> {
    const { kind, sessions } = this.#load;
    if (kind !== 'logins') await inTurn(sessions, maxOpening, () => this.#openSession());
  }

  /** Rejects at the first transfer that goes wrong. */
  async run(): Promise<void> {
    const load = this.#load;
    switch (load.kind) {
      case 'download':
        await this.#transfer(load.files, (control) => download(control, load.bytes));
        break;
      case 'upload':
        await this.#transfer(load.files, (control) => upload(control, load.bytes));
        break;
      case 'logins':
        await inTurn(load.logins, load.sessions, () => this.#logInAndLeave());
        break;
      case 'idle':
    }
  }

  /** Takes leave of the server. */
  async close(): Promise<void> {
    await Promise.all(this.#sessions.splice(0).map((control) => control.leave()));
  }

  destroy(): void {
    for (const control of this.#sessions.splice(0)) control.destroy();
  }

  async #openSession(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const control = new FtpControl(this.#port);
      try {
        await control.login(this.#isSecure);
        await control.ask('TYPE I', '200');
        this.#sessions.push(control);
        return;
      } catch (error) {
        control.destroy();
        if (attempt === maxAttempts) throw error;
        this.#repeats += 1;
      }
    }
  }

  async #logInAndLeave(): Promise<void> {
    const control = new FtpControl(this.#port);
    try {
      await control.login(this.#isSecure);
      await control.leave();
    } catch {
      this.#errors += 1;
      control.destroy();
    }
  }

  async #transfer(files: number, transfer: (control: FtpControl) => Promise<void>): Promise<void> {
    const all = this.#sessions.map(async (control) => {
      for (let file = 0; file < files; file++) await transfer(control);
    });
    await Promise.all(all);
  }
}

/** Does `task` so many times, `width` of them at a time. */
async function inTurn(times: number, width: number, task: () => Promise<void>): Promise<void> {
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun < times) {
      begun += 1;
      await task();
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
}
