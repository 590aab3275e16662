/** The log: JSON lines on stdout, one a message. */
import { type DestinationStream, type LevelWithSilent, type Logger as Pino, pino } from 'pino';

/** A message, with fields in front of it where there are some. `level` is the least grave that is written. */
export type Logger = Pick<Pino, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'level'>;

const stdout = 1;
/** Bytes that leave at once even in the middle of a turn. */
const batch = 8_192;
/** Bytes that may wait for their reader before lines are left out. */
const maxWaiting = 16_777_216;

/** `level` is the least grave that is written; `to` takes whole lines and is stdout if left out. */
export function createLogger(level: LevelWithSilent, to: DestinationStream = openStdout()): Logger {
  return pino(
    {
      level,
      // The process and the host are what every collector of logs adds by itself.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    to,
  );
}

/**
 * Lines of one turn of the event loop leave together, since a call for each would cost more than the transfer that it
 * tells of, and nobody waits until they are read; what is left at the end of the process is written then. A reader that
 * has gone away or stands still, or a full disk, costs lines of the log and nothing else.
 */
function openStdout(): DestinationStream {
  const stream = pino.destination({ dest: stdout, sync: false, minLength: batch, maxLength: maxWaiting });
  /** Bytes that have not left yet. */
  let waiting = 0;
  let isAwaited = false;
  const flush = (): void => {
    isAwaited = false;
    stream.flush();
  };
  stream.on('error', () => undefined);
  stream.on('write', (bytes) => {
    waiting -= bytes;
  });
  stream.on('drop', (line) => {
    waiting -= Buffer.byteLength(line);
  });
  // What came while others left would wait for the next line.
  stream.on('drain', () => {
    if (waiting > 0) stream.flush();
  });
  return {
    write: (line) => {
      waiting += Buffer.byteLength(line);
      stream.write(line);
      if (isAwaited) return;
      isAwaited = true;
      setImmediate(flush);
    },
  };
}
