/** The log: JSON lines on stdout, one a message. */
import { type DestinationStream, type LevelWithSilent, type Logger as Pino, pino } from 'pino';

/** A message, with fields in front of it where there are some. */
export type Logger = Pick<Pino, 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal'>;

const stdout = 1;

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
 * tells of; at the end of the process, what is left. A reader that has gone away, or a full disk, costs lines of the log
 * and nothing else.
 */
function openStdout(): DestinationStream {
  const stream = pino.destination({ dest: stdout, sync: true, minLength: 8_192 });
  stream.on('error', () => undefined);
  let isAwaited = false;
  const flush = (): void => {
    isAwaited = false;
    try {
      stream.flushSync();
    } catch {
      return;
    }
  };
  process.on('exit', flush);
  return {
    write: (line) => {
      stream.write(line);
      if (isAwaited) return;
      isAwaited = true;
      setImmediate(flush);
    },
  };
}
