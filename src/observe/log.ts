/** The log: JSON lines on stdout, one a message, written at once so that none is lost at the end. */
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

/** A reader that has gone away, or a full disk, costs lines of the log and nothing else. */
function openStdout(): DestinationStream {
  const stream = pino.destination({ dest: stdout, sync: true });
  stream.on('error', () => undefined);
  return stream;
}
