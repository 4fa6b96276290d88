import eslint from '@eslint/js';
import communityNodes from '@n8n/eslint-plugin-community-nodes';
import nodesBase from 'eslint-plugin-n8n-nodes-base';
import tseslint from 'typescript-eslint';

const TYPESCRIPT = ['**/*.ts', '**/*.tsx', '**/*.mts'];
const SCRIPTS = ['**/*.js', '**/*.cjs', '**/*.mjs'];
const N8N_CODE = ['nodes/**/*.ts', 'credentials/**/*.ts'];
const TESTS = ['**/*.test.ts', '**/*.test.tsx', 'test/**/*.ts', 'bench/**/*.ts'];

const NODE = ['console', 'exports', 'module', 'process', 'require', 'URL'];
const BROWSER = ['document', 'EventSource', 'fetch', 'location', 'setInterval', 'window'];
const globals = (names) => Object.fromEntries(names.map((name) => [name, 'writable']));

/** What n8n checks before it lists a community package: both of its plugins, as its own tool sets them. */
const n8nPackage = [
  {
    ...communityNodes.configs.recommended,
    files: ['package.json', ...N8N_CODE],
  },
  { plugins: { 'n8n-nodes-base': nodesBase } },
  {
    files: ['package.json'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { extraFileExtensions: ['.json'] },
    },
    rules: nodesBase.configs.community.rules,
  },
  {
    files: ['credentials/**/*.ts'],
    rules: {
      ...nodesBase.configs.credentials.rules,
      'n8n-nodes-base/cred-class-field-documentation-url-miscased': 'off',
    },
  },
  {
    files: ['nodes/**/*.ts'],
    rules: {
      ...nodesBase.configs.nodes.rules,
      // These two want literals where the newer plugin wants NodeConnectionTypes.
      'n8n-nodes-base/node-class-description-inputs-wrong-regular-node': 'off',
      'n8n-nodes-base/node-class-description-outputs-wrong': 'off',
      'n8n-nodes-base/node-param-type-options-max-value-present': 'off',
    },
  },
  { files: N8N_CODE, rules: { 'no-console': 'error' } },
];

const typescript = tseslint.config({
  files: TYPESCRIPT,
  extends: [eslint.configs.recommended, tseslint.configs.recommendedTypeChecked],
  languageOptions: {
    parserOptions: {
      project: ['./tsconfig.json', './*/tsconfig.json'],
      tsconfigRootDir: import.meta.dirname,
    },
  },
  rules: {
    '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
    '@typescript-eslint/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true },
    ],
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    '@typescript-eslint/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [
          {
            from: 'package',
            package: 'node:test',
            name: ['test', 'it', 'describe', 'suite', 'before', 'after', 'beforeEach', 'afterEach'],
          },
        ],
      },
    ],
    '@typescript-eslint/restrict-template-expressions': [
      'error',
      { allowNumber: true, allow: ['Error', 'URL', 'URLSearchParams'] },
    ],
    // Code here is plain functions on objects, and a function may be async for the sake of its type.
    '@typescript-eslint/require-await': 'off',
    '@typescript-eslint/unbound-method': 'off',
    'no-undef': 'off',
  },
});

const tests = tseslint.config(
  {
    files: TESTS,
    rules: {
      // What a test reads from an answer is whatever the answer holds.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // The client's own project leaves its tests out of the published types.
    files: ['client/src/**/*.test.ts'],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { parserOptions: { project: null } },
  },
);

const arrows = [
  {
    files: ['server/src/**/*.ts'],
    ignores: ['server/src/config.ts', '**/*.test.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        {
          object: 'process',
          property: 'env',
          message: 'Only config.ts reads the environment; take the value as an argument.',
        },
      ],
    },
  },
  {
    files: ['nodes/**/*.ts', 'client/src/**/*.ts', 'hooks/src/**/*.ts', 'server/src/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Name the export.' },
      ],
    },
  },
];

export default [
  {
    ignores: [
      '**/dist/**',
      '**/data/**',
      '**/node_modules/**',
      'server/public/**',
      '**/*.d.ts',
      '**/*_pb.ts',
    ],
  },
  { files: SCRIPTS, ...eslint.configs.recommended, languageOptions: { globals: globals(NODE) } },
  { files: ['web/pages/**/*.js'], languageOptions: { globals: globals(BROWSER) } },
  ...typescript,
  ...tests,
  ...n8nPackage,
  ...arrows,
];
