/** The user map of a service, read from its file, and again whenever that has changed. */
import { maxMapBytes, parseUserMap, type UserMap } from '../ftp/user-map.ts';
import type { Clock } from '../net/net.ts';
import { FileFault, reasonOf, WatchedFiles } from './watched-files.ts';

/** At the start there is no user map that could be used. */
export class UserMapFileError extends Error {
  override readonly name = 'UserMapFileError';
  readonly code = 'TLB_ERR_USER_MAP_FILE';
}

export interface UserMapFileParts {
  readonly clock: Pick<Clock, 'setTimer'>;
  /** Another map is in force, of so many users. Never told of the first one. */
  readonly onChange: (users: number) => void;
  /** The file has become one that cannot be used; told once for each way in which it cannot. */
  readonly onFault: (error: string) => void;
}

/** A map as text, and what it means. */
interface Content {
  readonly text: string;
  readonly users: UserMap;
}

export class UserMapFile {
  readonly path: string;
  readonly #files: WatchedFiles<Content>;
  #text = '';

  constructor(path: string, { clock, onChange, onFault }: UserMapFileParts) {
    this.path = path;
    this.#files = new WatchedFiles([path], {
      clock,
      maxBytes: maxMapBytes,
      form: 'YAML',
      parse,
      onChange: ({ text, users }) => {
        this.#text = text;
        onChange(users.size);
      },
      onFault: (error) => onFault(faultIn(error)),
    });
  }

  /** The map in force: what parseUserMap takes. */
  get text(): string {
    return this.#text;
  }

  /** Reads the first map. Rejects with UserMapFileError. */
  async start(): Promise<void> {
    this.#text = (await this.#orFault(this.#files.start())).text;
  }

  /** What the map means now; nobody looks at the file from then on. Rejects with UserMapFileError. */
  async read(): Promise<UserMap> {
    return (await this.#orFault(this.#files.read())).users;
  }

  stop(): void {
    this.#files.stop();
  }

  async #orFault(reading: Promise<Content>): Promise<Content> {
    try {
      return await reading;
    } catch (cause) {
      throw new UserMapFileError(`cannot use the user map ${this.path}: ${faultIn(cause)}`, { cause });
    }
  }
}

function parse([text = '']: readonly string[]): Content {
  return { text, users: parseUserMap(text) };
}

/** There is one file, which whoever hears of it knows. */
function faultIn(error: unknown): string {
  return reasonOf(error instanceof FileFault ? error.cause : error);
}
