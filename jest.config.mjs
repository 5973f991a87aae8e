// SPDX-License-Identifier: Apache-2.0
// A test's tier is its file suffix (docs: CONTRIBUTING.md). Each tier is one Jest project, so that
// `jest --selectProjects unit` runs one tier, and the gate can tell an empty tier from a passing one.
// passWithNoTests stays off on purpose: a tier that ran no test must fail.

const BESIDE_THE_SOURCE = '<rootDir>/{libs,services,cli,compose,packs,sdk,verifiers,tools,test}/**';

/** Sources run without a build: the condition makes workspace packages resolve to their src/*.ts. */
const base = {
  rootDir: import.meta.dirname,
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['@clyra/source', 'node', 'node-addons'] },
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2024' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Workspace packages are symlinks; Jest resolves them to their real path outside node_modules, so they are transformed.
  transformIgnorePatterns: ['/node_modules/'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/', '/fixtures/'],
  modulePathIgnorePatterns: ['<rootDir>/.*/dist/', '<rootDir>/.clyra/', '<rootDir>/.nx/'],
};

/** @param {string} name @param {string} testMatch */
const tier = (name, testMatch) => ({ ...base, displayName: name, testMatch: [testMatch] });

/** One local stack for the whole run of a tier; whatever a test does not start of its own goes through it. */
const onSharedStack = {
  globalSetup: '<rootDir>/libs/testing/jest/stack-setup.mjs',
  globalTeardown: '<rootDir>/libs/testing/jest/stack-teardown.mjs',
};

const besideTheSource = ['unit', 'prop', 'vector', 'replay', 'sim'].map((name) =>
  tier(name, `${BESIDE_THE_SOURCE}/*.${name}.test.ts`),
);

export default {
  projects: [
    ...besideTheSource,
    { ...tier('int', `${BESIDE_THE_SOURCE}/*.int.test.ts`), ...onSharedStack },
    tier('e2e', '<rootDir>/test/e2e/**/*.e2e.test.ts'),
    tier('browser', '<rootDir>/test/browser/**/*.browser.test.ts'),
    tier('faults', '<rootDir>/test/faults/**/*.faults.test.ts'),
  ],
  // Set for all projects here, since Jest does not read it inside a project.
  testTimeout: 30_000,
};
