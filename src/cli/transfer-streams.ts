/** Standard input and output at the ends of a transfer. */
import { Readable } from 'node:stream';

import type { ByteSink } from '../tftp/sink.ts';
import { notYet, type StreamSource } from '../tftp/source.ts';

/** Writes as fast as `stream` takes it, so that a slow reader slows the transfer down instead of filling memory. */
export function streamSink(stream: NodeJS.WritableStream): ByteSink {
  const state: { failure?: Error } = {};
  stream.once('error', (error: Error) => {
    state.failure = error;
  });
  stream.once('close', () => {
    state.failure ??= new Error('the output was closed');
  });
  return {
    write: (bytes) => {
      if (state.failure !== undefined) throw state.failure;
      return stream.write(Buffer.from(bytes));
    },
    end: () => {
      if (state.failure !== undefined) throw state.failure;
    },
    onReady: (callback) => {
      for (const event of ['drain', 'error', 'close']) stream.on(event, callback);
    },
  };
}

export interface OpenStream extends StreamSource {
  /** Lets the stream go, so that it no longer keeps the process alive. */
  close(): void;
}

export function streamSource(stream: NodeJS.ReadableStream): OpenStream {
  const state: { ended: boolean; failure?: Error } = { ended: false };
  stream.once('end', () => {
    state.ended = true;
  });
  stream.once('error', (error: Error) => {
    state.failure = error;
  });
  stream.once('close', () => {
    if (!state.ended) state.failure ??= new Error('the input was closed before its end');
  });
  return {
    kind: 'stream',
    // A Readable hands out what was asked for, or nothing, or at its end what is left.
    read: (into) => {
      if (state.failure !== undefined) throw state.failure;
      const chunk = stream.read(into.length);
      if (chunk === null) return state.ended ? 0 : notYet;
      const bytes = Buffer.from(chunk);
      into.set(bytes);
      return bytes.length;
    },
    onReady: (callback) => {
      for (const event of ['readable', 'end', 'error', 'close']) stream.on(event, callback);
    },
    close: () => {
      if (stream instanceof Readable) stream.destroy();
    },
  };
}
