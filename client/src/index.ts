export * from './contract/index.ts';
export * from './instrument/index.ts';
export * from './outbox/index.ts';
