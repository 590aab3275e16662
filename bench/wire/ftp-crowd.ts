/** The kinds of load on FTP, each as a crowd of sessions. */
import type { FtpLoad } from '../ftp-messages.ts';
import { FtpControl } from './ftp-control.ts';
import { download, upload } from './ftp-transfers.ts';

/** Sessions that open at the same time where hundreds are wanted. */
const maxOpening = 16;

/** Sessions that do what a load says. */
export class FtpCrowd {
  readonly #port: number;
  readonly #load: FtpLoad;
  readonly #sessions: FtpControl[] = [];

  constructor(port: number, load: FtpLoad) {
    this.#port = port;
    this.#load = load;
  }

  /** Logs in what has to be there before the clock starts. */
  async open(): Promise<void> {
    const { kind, sessions } = this.#load;
    if (kind === 'logins') return;
    await inTurn(sessions, maxOpening, async () => {
      const control = new FtpControl(this.#port);
      this.#sessions.push(control);
      await control.login();
      await control.ask('TYPE I', '200');
    });
  }

  /** Rejects at the first thing that goes wrong. */
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
        await inTurn(load.logins, load.sessions, async () => {
          const control = new FtpControl(this.#port);
          await control.login();
          await control.leave();
        });
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
