/**
 * Backends that a file lists, for whatever writes it: a template, a sidecar, a Kubernetes config map. Host names in it
 * are resolved as those of the configuration are.
 *
 *   news of the folder, or a poll --> the file has changed --settled--> list --> host names --> backends
 */
import type { Net } from '../net/net.ts';
import { BackendSet } from './backend-set.ts';
import { type BackendSource, DiscoveryError, failureOf, type SourceUpdate } from './backend-source.ts';
import type { BackendSpec } from './backend-spec.ts';
import type { Files } from './files.ts';
import { HostSource } from './host-source.ts';
import { ListFile, type ListFileOptions } from './list-file.ts';
import { Rounds } from './rounds.ts';
import { unlessAborted } from './unless-aborted.ts';

/** Milliseconds for which a file must stay as it is before it is read. */
const settleTime = 100;

/** Times in milliseconds. */
export interface FileSourceOptions extends ListFileOptions {
  /** How often the file is looked at where the system tells nothing of changes. */
  readonly pollInterval: number;
  /** From one resolution of a host name to the next. */
  readonly resolveInterval: number;
  /** How long a list without entries is doubted. */
  readonly emptyGrace: number;
}

export interface FileSourceParts {
  readonly net: Pick<Net, 'lookup' | 'now' | 'setTimer'>;
  readonly files: Files;
}

export class FileSource implements BackendSource {
  readonly #parts: FileSourceParts;
  readonly #options: FileSourceOptions;

  constructor(parts: FileSourceParts, options: FileSourceOptions) {
    this.#parts = parts;
    this.#options = options;
  }

  watch(onUpdate: (update: SourceUpdate) => void, signal: AbortSignal): Promise<void> {
    return new FileWatch(this.#parts, this.#options, onUpdate, signal).start();
  }
}

class FileWatch {
  readonly #parts: FileSourceParts;
  readonly #options: FileSourceOptions;
  readonly #onUpdate: (update: SourceUpdate) => void;
  readonly #signal: AbortSignal;
  readonly #file: ListFile;
  readonly #set: BackendSet;
  readonly #rounds: Rounds;
  /** Ends the watch over the host names of the list in force; undefined where that is empty. */
  #hosts: AbortController | undefined;
  /** What was said of the file as it is; undefined where nothing is wrong with it. */
  #complaint: string | undefined;

  constructor(
    parts: FileSourceParts,
    options: FileSourceOptions,
    onUpdate: (update: SourceUpdate) => void,
    signal: AbortSignal,
  ) {
    const { path, emptyGrace } = options;
    this.#parts = parts;
    this.#options = options;
    this.#onUpdate = onUpdate;
    this.#signal = signal;
    this.#file = new ListFile(parts.files, options);
    this.#set = new BackendSet(parts.net, { source: path, emptyGrace }, onUpdate);
    this.#rounds = new Rounds(parts.net, () => this.#lookAgain());
  }

  async start(): Promise<void> {
    this.#signal.throwIfAborted();
    const { path } = this.#options;
    await unlessAborted(this.#look(), this.#signal).catch((error: unknown) => {
      this.#signal.throwIfAborted();
      throw new DiscoveryError([failureOf(path, error)]);
    });
    if (this.#signal.aborted) return;
    const stopWatching = this.#parts.files.watch(path, () => this.#rounds.hurry(settleTime));
    const stop = (): void => {
      stopWatching();
      this.#rounds.stop();
    };
    this.#signal.addEventListener('abort', stop, { once: true });
    // What has changed before the watch began is not news to it.
    this.#rounds.start(settleTime);
  }

  async #lookAgain(): Promise<number> {
    try {
      return await this.#look();
    } catch (error) {
      if (!this.#signal.aborted) this.#complain(error);
      return this.#options.pollInterval;
    }
  }

  /** Resolves to the milliseconds until the next look. */
  async #look(): Promise<number> {
    const list = await this.#file.look();
    this.#signal.throwIfAborted();
    if (list === 'unsettled') return settleTime;
    if (list !== 'unchanged') {
      await this.#adopt(list);
      this.#file.accept();
    }
    if (this.#hosts === undefined) this.#set.replace([]);
    this.#complaint = undefined;
    return this.#options.pollInterval;
  }

  /** Resolves the hosts of a new list; only when all have been found does it replace the old one. */
  async #adopt(list: readonly BackendSpec[]): Promise<void> {
    const hosts = new AbortController();
    if (list.length > 0) {
      const options = { backends: list, interval: this.#options.resolveInterval };
      const source = new HostSource(this.#parts.net, options);
      await source.watch(this.#onHosts, AbortSignal.any([this.#signal, hosts.signal]));
    }
    this.#hosts?.abort();
    this.#hosts = list.length > 0 ? hosts : undefined;
  }

  readonly #onHosts = (update: SourceUpdate): void => {
    if (update.kind === 'backends') this.#set.replace(update.backends);
    else this.#onUpdate(update);
  };

  /** What is wrong with a file stays wrong until somebody mends it; it is said once. */
  #complain(thrown: unknown): void {
    const failure = failureOf(this.#options.path, thrown);
    if (failure.error.message === this.#complaint) return;
    this.#complaint = failure.error.message;
    this.#onUpdate({ kind: 'failed', ...failure });
  }
}
