export * from './contract/index.ts';
export * from './instrument/index.ts';
