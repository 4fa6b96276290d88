import { createRedactor } from '../../server/src/platform/redact.ts';
import {
  isRefusal,
  type Heard,
  type Reading,
} from '../../server/src/features/n8n/webhook/heard.ts';
import { recognise } from '../../server/src/features/n8n/webhook/recognise.ts';

/** A moment as n8n writes it, with a workflow's offset, and as it is understood. */
export const TS = '2026-11-21T13:00:00.500+02:00';
export const AT = '2026-11-21T11:00:00.500Z';
export const ID = '7d1d51e1-5b7c-4ef1-9c3b-b1a1f6c0a001';

/** Reads an hour after that moment. */
export const reading: Reading = {
  now: new Date('2026-11-21T12:00:00.000Z'),
  redactor: createRedactor([], []),
};

/** What an item means. @throws when it is refused */
export function read(item: unknown, more: Partial<Reading> = {}): Heard {
  const heard = recognise(item, { ...reading, ...more });
  if (isRefusal(heard)) throw new Error(JSON.stringify(heard));
  return heard;
}

/** An event of n8n's log. */
export const log = (eventName: string, payload: object, more: object = {}) => ({
  id: ID,
  eventName,
  message: eventName,
  ts: TS,
  payload,
  ...more,
});

/** What payloads say of a run. */
export const RUN = {
  executionId: '8',
  workflowId: 'w1',
  workflowName: 'Hook test',
  projectId: 'p1',
  projectName: 'Own Er <owner@example.com>',
};

export const stateIn = ({ workflows }: Heard): unknown => workflows?.[0]?.said.state?.[2];
