const major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  throw new Error(
    `The tests need Node 24 or newer; this is ${process.version}. Run them through npm: npm test.`,
  );
}

const typescript = (moduleType) => ({
  '^.+\\.ts$': [
    '@swc/jest',
    {
      jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
      module: { type: moduleType, ignoreDynamic: true },
    },
  ],
});

/** The n8n package is CommonJS, everything else is ESM: one project each. */
module.exports = {
  // A database is started in some tests; a busy machine may need more than the default 5 s.
  testTimeout: 30_000,
  projects: [
    {
      displayName: 'nodes',
      testMatch: ['<rootDir>/test/nodes/**/*.test.ts'],
      transform: typescript('commonjs'),
    },
    {
      displayName: 'rollcall',
      testMatch: [
        '<rootDir>/client/src/**/*.test.ts',
        '<rootDir>/hooks/test/**/*.test.ts',
        '<rootDir>/server/src/**/*.test.ts',
        '<rootDir>/test/cluster/**/*.test.ts',
        '<rootDir>/test/server/**/*.test.ts',
      ],
      extensionsToTreatAsEsm: ['.ts'],
      transform: typescript('es6'),
      globalSetup: '<rootDir>/test/cluster/start.ts',
      globalTeardown: '<rootDir>/test/cluster/stop.ts',
    },
  ],
};
