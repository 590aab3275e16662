import type { FoundBackend } from '../balance/pool.ts';
import type { ServiceConfig } from '../config/config.ts';
import type { SourceUpdate } from '../discovery/backend-source.ts';
import { createBackendSource } from '../discovery/create-source.ts';
import { nodeFiles } from '../discovery/node-files.ts';
import type { Net } from '../net/net.ts';
import { sourceOf } from './source-spec.ts';
import { isOwnListener, SelfBackendError } from './self-backend.ts';

/** The backends of one service, as its sources tell them. Nobody hears of them until somebody follows. */
export class BackendWatch {
  readonly #stop = new AbortController();
  #latest: SourceUpdate | undefined;
  #follow: ((update: SourceUpdate) => void) | undefined;

  /** Resolves when the first backends are known. Rejects with DuplicateBackendError, DiscoveryError or SelfBackendError. */
  static async open(service: ServiceConfig, net: Net, signal: AbortSignal): Promise<BackendWatch> {
    const watch = new BackendWatch();
    const source = createBackendSource(sourceOf(service), { net, files: nodeFiles });
    const ends = AbortSignal.any([signal, watch.#stop.signal]);
    await source.watch((update) => watch.#tell(update), ends);
    try {
      for (const backend of watch.#backends) refuseSelf(backend, service, net);
    } catch (error) {
      watch.stop();
      throw error;
    }
    return watch;
  }

  /** Tells the latest at once, and then each that comes. */
  follow(onUpdate: (update: SourceUpdate) => void): void {
    this.#follow = onUpdate;
    if (this.#latest) onUpdate(this.#latest);
  }

  stop(): void {
    this.#stop.abort();
  }

  get #backends(): readonly FoundBackend[] {
    return this.#latest?.kind === 'backends' ? this.#latest.backends : [];
  }

  /** What fails before anybody follows was said by nobody, and is said again. */
  #tell(update: SourceUpdate): void {
    if (this.#follow) this.#follow(update);
    else if (update.kind === 'backends') this.#latest = update;
  }
}

function refuseSelf(backend: FoundBackend, { listeners }: ServiceConfig, net: Net): void {
  if (isOwnListener(backend, listeners, net.localAddresses())) throw new SelfBackendError(backend);
}
