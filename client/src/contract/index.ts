export * from './analytics.ts';
export * from './gaps.ts';
export * from './keys.ts';
export * from './registry.ts';
export * from './telemetry.ts';
export * from './vocabulary.ts';
export * from './wire.ts';
