import type { StoredTelemetryEvent, TelemetryStatus } from '@rollcall/client/contract';
import { clean, paint, type Colour } from '../terminal/text.ts';
import { clockTime, duration } from '../terminal/time.ts';

const PROTOCOL_WIDTH = 7;

const COLOURS: Record<TelemetryStatus, Colour> = {
  success: 'green',
  error: 'red',
  timeout: 'yellow',
  cancelled: 'dim',
};

/** An event in one line: when, over what, who called whom, what for, how it went, how long, why not. */
export function eventLine(event: StoredTelemetryEvent): string {
  const { status, duration_ms, error_type, error_message } = event;
  const error = [error_type, error_message].filter(Boolean).join(': ');
  return [
    paint('dim', clockTime(event.timestamp)),
    event.protocol.padEnd(PROTOCOL_WIDTH),
    `${clean(event.source_id)} → ${clean(event.target_id)}`,
    clean(event.operation ?? '-'),
    paint(COLOURS[status], status),
    ...(duration_ms === null ? [] : [duration(duration_ms)]),
    ...(error ? [paint('red', clean(error))] : []),
  ].join('  ');
}
