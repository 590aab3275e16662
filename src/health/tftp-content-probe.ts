/** Fetches a file from a TFTP server, and takes the server for alive if the file is the expected one. */
import { type Endpoint, type Net, NetError } from '../net/net.ts';
import type { ProbeOutcome } from '../observe/events.ts';
import { download } from '../tftp/client.ts';
import { RemoteError, TransferError } from '../tftp/errors.ts';
import { TftpProtocolError } from '../tftp/packet.ts';
import type { ByteSink } from '../tftp/sink.ts';
import type { Probe } from './probe.ts';
import { outcomeOfNetError, outcomeWithin, type ProbeRun } from './probe-run.ts';

/** A digest under way: pure code has none of its own. */
export interface Digest {
  update(bytes: Uint8Array): void;
  /** Hexadecimal, in lower case. */
  end(): string;
}

export interface ContentProbeOptions {
  /** One character a byte (latin1). */
  readonly file: string;
  /** What the digest of the whole file has to be; hexadecimal, in lower case. */
  readonly expected: string;
  readonly digest: () => Digest;
  /** Milliseconds for the whole transfer. */
  readonly timeout: number;
}

/** Whoever has more does not have the file of a health check (bytes). */
const largest = 16_777_216;
/** Fits an Ethernet frame, whatever the version of IP. */
const blksize = 1_428;
/** Milliseconds of silence before a packet is repeated. */
const patience = 500;

export class TftpContentProbe implements Probe {
  readonly #net: Net;
  readonly #options: ContentProbeOptions;

  constructor(net: Net, options: ContentProbeOptions) {
    this.#net = net;
    this.#options = options;
  }

  check(address: Endpoint, signal: AbortSignal): Promise<ProbeOutcome> {
    const run = new Fetching(this.#net, address, this.#options);
    return outcomeWithin(this.#net, this.#options.timeout, run, signal);
  }
}

/** The file has more bytes than it may. */
class TooLargeError extends Error {}

class Fetching implements ProbeRun {
  readonly #net: Net;
  readonly #server: Endpoint;
  readonly #options: ContentProbeOptions;
  readonly #stop = new AbortController();

  constructor(net: Net, { address, port }: Endpoint, options: ContentProbeOptions) {
    this.#net = net;
    this.#server = { address, port };
    this.#options = options;
  }

  async outcome(): Promise<ProbeOutcome> {
    const { file, digest, expected, timeout } = this.#options;
    const found = digest();
    const request = {
      server: this.#server,
      file,
      mode: 'octet',
      options: { blksize },
      // The time for the whole ends it, never the number of repeats.
      retry: { timeout: patience, retries: Math.ceil(timeout / patience) },
      dally: 0,
      signal: this.#stop.signal,
    } as const;
    try {
      await download(this.#net, request, sinkInto(found));
      return found.end() === expected ? 'alive' : 'wrong-content';
    } catch (error) {
      return outcomeOf(error);
    }
  }

  close(): void {
    this.#stop.abort();
  }
}

function sinkInto(digest: Digest): ByteSink {
  let length = 0;
  return {
    write: (bytes) => {
      length += bytes.length;
      if (length > largest) throw new TooLargeError();
      digest.update(bytes);
      return true;
    },
    end: () => undefined,
  };
}

function outcomeOf(error: unknown): ProbeOutcome {
  if (error instanceof RemoteError || error instanceof TooLargeError) return 'wrong-content';
  if (error instanceof TftpProtocolError) return 'malformed';
  if (error instanceof NetError) return outcomeOfNetError(error);
  if (!(error instanceof TransferError)) return 'failed';
  if (error.code === 'TLB_ERR_TFTP_REFUSED') return 'refused';
  if (error.code === 'TLB_ERR_TFTP_TIMEOUT') return 'timeout';
  return error.cause instanceof NetError ? outcomeOfNetError(error.cause) : 'failed';
}
