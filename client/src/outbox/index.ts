export { createOutbox, type Outbox, type OutboxOptions, type OutboxStats } from './outbox.ts';
export type { OutboxEnvironment } from './environment.ts';
