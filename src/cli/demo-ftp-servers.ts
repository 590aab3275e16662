/** Real FTP servers for the demo, from a package that is there for development alone. */
import { once } from 'node:events';
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';

import type { Endpoint } from '../net/net.ts';

export const ftpPackage = 'ftp-srv';

/** What the thread of the servers is told. It answers with their ports, in the order of the folders. */
export interface DemoFtpPlaces {
  readonly folders: readonly string[];
  /** Numeric. */
  readonly address: string;
}

/** One server for each folder; they end together. */
export class DemoFtpServers {
  /** In the order of the folders. */
  readonly endpoints: readonly Endpoint[];
  readonly #worker: Worker;

  private constructor(worker: Worker, endpoints: readonly Endpoint[]) {
    this.#worker = worker;
    this.endpoints = endpoints;
  }

  /** Undefined where the package is not installed, as with the published tftp-lb. Rejects with the servers' error. */
  static async open(places: DemoFtpPlaces): Promise<DemoFtpServers | undefined> {
    if (!isInstalled()) return undefined;
    const entry = new URL(`demo-ftp-worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(entry, { workerData: places });
    const [ports = []]: readonly (readonly number[])[] = await once(worker, 'message');
    return new DemoFtpServers(
      worker,
      ports.map((port) => ({ address: places.address, port })),
    );
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }
}

function isInstalled(): boolean {
  try {
    import.meta.resolve(ftpPackage);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_MODULE_NOT_FOUND') return false;
    throw error;
  }
}
