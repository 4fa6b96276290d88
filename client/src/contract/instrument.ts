// Pure: the server and the command line do to a workflow what a factory does without them.
export * from '../instrument/index.ts';
