// SPDX-License-Identifier: Apache-2.0
// Biome formats and lints; ESLint holds only what needs types or the project graph. Build the graph first
// (`make lint` does): with no graph the boundary rule warns and passes, so dependency-cruiser repeats the directions.

import nx from '@nx/eslint-plugin';
import tseslint from 'typescript-eslint';

const direction = (layer, ...allowed) => ({
  sourceTag: `layer:${layer}`,
  // A layer is not in its own list: services stay apart from one another, and so do adapters.
  onlyDependOnLibsWithTags: allowed.map((name) => `layer:${name}`),
});

const boundaries = (extraForTests) => [
  'error',
  {
    enforceBuildableLibDependency: false,
    allowCircularSelfDependency: true,
    // Tests of core use the builders of libs/testing. Between files no circle is allowed: dependency-cruiser sees to it.
    ignoredCircularDependencies: [['@clyra/core', '@clyra/testing']],
    depConstraints: [
      direction('core', ...extraForTests),
      direction('adapter', 'core', ...extraForTests),
      direction('runtime', 'adapter', 'core', ...extraForTests),
      direction('stack', 'adapter', 'core', ...extraForTests),
      direction('service', 'runtime', 'adapter', 'core', 'verifier', ...extraForTests),
      direction('cli', 'runtime', 'adapter', 'core', 'stack', 'service', 'verifier', 'scenario', ...extraForTests),
      direction('scenario', 'adapter', 'core', ...extraForTests),
      direction('tool', 'runtime', 'adapter', 'core', ...extraForTests),
      { sourceTag: 'layer:verifier', onlyDependOnLibsWithTags: [] },
      { sourceTag: 'layer:test', onlyDependOnLibsWithTags: ['*'] },
    ],
  },
];

const core = 'libs/core must give the same answer at every replay: take';

/** What differs between two runs of the same input. Core gets it as an argument or through a port. */
const NONDETERMINISTIC_GLOBALS = [
  { name: 'Date', message: `${core} times as numbers from the record, or the Clock port.` },
  { name: 'Intl', message: `${core} no locale data; compare and format bytes.` },
  { name: 'process', message: `${core} settings as arguments.` },
  { name: 'performance', message: `${core} times as numbers from the record, or the Clock port.` },
  { name: 'crypto', message: `${core} random bits from the Random port, digests from node:crypto.` },
  { name: 'fetch', message: `${core} data as arguments; I/O belongs in an adapter.` },
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'clearTimeout', 'clearInterval'].map((name) => ({
    name,
    message: `${core} deadlines through the Clock port.`,
  })),
];

export default tseslint.config(
  {
    ignores: [
      '**/dist/**',
      '**/node_modules/**',
      '**/fixtures/**',
      '.nx/**',
      '.clyra/**',
      '**/*.{mjs,cjs,js}',
      '**/*.d.ts',
    ],
  },
  {
    files: ['**/*.ts'],
    languageOptions: {
      parser: tseslint.parser,
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    plugins: { '@typescript-eslint': tseslint.plugin, '@nx': nx },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@nx/enforce-module-boundaries': boundaries([]),
    },
  },
  {
    files: ['**/*.test.ts', '**/test-support/**'],
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      '@nx/enforce-module-boundaries': boundaries(['test']),
    },
  },
  {
    files: ['libs/core/src/**/*.ts'],
    ignores: ['**/*.test.ts', '**/test-support/**'],
    rules: {
      'no-restricted-globals': ['error', ...NONDETERMINISTIC_GLOBALS],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: `${core} random bits from the Random port.` },
      ],
    },
  },
);
