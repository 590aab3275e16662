import { FileError, type Files } from '../../src/discovery/files.ts';

/** Files that tests write and take away, without a disk. */
export class MemoryFiles implements Files {
  /** Whether watchers hear of changes. */
  isTalkative = true;
  /** Reads so far. */
  reads = 0;
  readonly #contents = new Map<string, { readonly text: string; readonly version: string }>();
  readonly #watchers = new Set<() => void>();
  #writes = 0;

  /** Watches that have not been ended. */
  get watches(): number {
    return this.#watchers.size;
  }

  write(path: string, text: string): void {
    this.#writes++;
    this.#contents.set(path, { text, version: String(this.#writes) });
    this.#tell();
  }

  remove(path: string): void {
    this.#contents.delete(path);
    this.#tell();
  }

  async version(path: string): Promise<string> {
    return this.#find(path).version;
  }

  async read(path: string, limit: number): Promise<string> {
    this.reads++;
    const { text } = this.#find(path);
    if (text.length > limit) throw new FileError(`${path} has more than ${limit} bytes`);
    return text;
  }

  watch(_path: string, onChange: () => void): () => void {
    // Each watch is one of its own, whoever it is that asks.
    const watcher = (): void => onChange();
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #tell(): void {
    if (this.isTalkative) for (const watcher of this.#watchers) watcher();
  }

  #find(path: string): { readonly text: string; readonly version: string } {
    const found = this.#contents.get(path);
    if (found === undefined) throw new FileError(`cannot read ${path}: there is none`);
    return found;
  }
}
