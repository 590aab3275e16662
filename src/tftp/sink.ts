import { NetasciiDecoder } from './netascii.ts';
import type { TftpRequest } from './request.ts';

/** Where the bytes of a transfer go, in order. A call that throws ends the transfer. */
export interface ByteSink {
  /** Takes `bytes`, which are overwritten afterwards. False means: no more until `onReady` has called back. */
  write(bytes: Uint8Array): boolean;
  /** All bytes are written. Called before the last ACK: a peer that has it takes the file for delivered. */
  end(): void;
  /** `callback` is called when a sink that said false takes more, never from within `write`. */
  onReady?(callback: () => void): void;
}

/** The sink behind the translation that a mode asks for (mail is netascii, RFC 1350 section 1). */
export function sinkFor(mode: TftpRequest['mode'], sink: ByteSink): ByteSink {
  if (mode === 'octet') return sink;
  const decoder = new NetasciiDecoder();
  return {
    write: (bytes) => sink.write(decoder.decode(bytes)),
    end: () => {
      sink.write(decoder.end());
      sink.end();
    },
  };
}
