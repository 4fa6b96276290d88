const CONTRACT = '^client/src/contract/';

/** Every rule forbids: from where, to what, and why in one line. */
const forbidden = [
  {
    name: 'nodes-need-n8n-workflow-only',
    comment:
      'Nodes run inside n8n: nothing but n8n-workflow, each other and types of the contract.',
    from: { path: '^(nodes|credentials)/' },
    to: { pathNot: ['^(nodes|credentials)/', '(^|/)node_modules/n8n-workflow/', CONTRACT] },
  },
  {
    name: 'nodes-take-types-from-the-contract',
    comment: 'The contract is not in the published package: `import type` leaves no trace of it.',
    from: { path: '^(nodes|credentials)/' },
    to: { path: CONTRACT, dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'nodes-share-through-shared',
    comment: 'What two nodes need lives in nodes/shared.',
    from: { path: '^nodes/([^/]+)/' },
    to: { path: '^nodes/', pathNot: ['^nodes/$1/', '^nodes/shared/'] },
  },
  {
    name: 'client-needs-nothing',
    comment: 'The client runs in Node and in browsers, without dependencies.',
    from: { path: '^client/src/', pathNot: '[.]test[.]ts$' },
    to: { pathNot: '^client/src/', dependencyTypesNot: ['core'] },
  },
  {
    name: 'hooks-need-the-client-only',
    comment: 'The hooks file is bundled with the client and with nothing else.',
    from: { path: '^hooks/', pathNot: ['[.]test[.]ts$', '^hooks/build[.]js$'] },
    to: { pathNot: ['^hooks/', '^client/src/'], dependencyTypesNot: ['core'] },
  },
  {
    name: 'web-needs-the-client-only',
    comment: 'Of our own rooms, the Control Center knows the client.',
    from: { path: '^web/' },
    to: { path: '^(nodes|credentials|hooks|server|test|bench)/' },
  },
  {
    name: 'server-needs-the-contract-only',
    comment: "Of our own rooms, the server knows the client's contract.",
    from: { path: '^server/src/', pathNot: '[.]test[.]ts$' },
    to: { path: '^(nodes|credentials|hooks|web|test|bench|client)/', pathNot: CONTRACT },
  },
  {
    name: 'platform-knows-no-feature',
    comment: 'Features stand on the platform, never the other way round.',
    from: { path: '^server/src/platform/', pathNot: '[.]test[.]ts$' },
    to: { path: '^server/src/(features/|compose[.]ts|app[.]ts|main[.]ts|cli/)' },
  },
  {
    name: 'features-know-no-neighbour',
    comment: 'A feature gets what it needs of another as a function, from compose.ts.',
    from: { path: '^server/src/features/([^/]+)/', pathNot: '[.]test[.]ts$' },
    to: { path: '^server/src/(features|compose[.]ts)', pathNot: '^server/src/features/$1/' },
  },
  {
    name: 'only-compose-wires',
    comment: 'compose.ts alone puts features together.',
    from: {
      path: '^server/src/',
      pathNot: ['^server/src/compose[.]ts$', '^server/src/features/', '[.]test[.]ts$'],
    },
    to: { path: '^server/src/features/' },
  },
  {
    name: 'code-needs-no-tests',
    comment: 'Tests import code, never the other way round.',
    from: { pathNot: ['[.]test[.]tsx?$', '^(test|bench)/'] },
    to: { path: ['[.]test[.]tsx?$', '^(test|bench)/'] },
  },
  {
    name: 'no-circles',
    comment: 'Modules that need each other to run form no circle.',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'imports-resolve',
    comment: 'An import that leads nowhere could hide any of the above.',
    from: {},
    to: { couldNotResolve: true },
  },
];

module.exports = {
  forbidden: forbidden.map((rule) => ({ severity: 'error', ...rule })),
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['^dist/', '^[a-z]+/dist/', '^data/', '^server/data/', '^server/public/'] },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.base.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.tsx', '.mts', '.js', '.cjs', '.mjs', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
