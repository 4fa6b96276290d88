import { pino, type Logger } from 'pino';

export type Log = Logger;

/** JSON lines on standard error: standard output belongs to what a command prints. */
export function createLog(level: string): Log {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ fd: 2, sync: true }),
  );
}
