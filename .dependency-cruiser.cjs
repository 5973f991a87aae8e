// SPDX-License-Identifier: Apache-2.0
// Who may import whom (ARCHITECTURE.md). `tools/src/boundaries.unit.test.ts` holds, for each rule here, a case that must fail.

// A folder `test-support` holds what several tests of one package share; no source may import from it.
const TEST_FILE = '(\\.test\\.ts$|/test-support/)';

/** A folder of libs/core/src may import itself and the folders named before it. */
const CORE_ORDER = [
  'kernel',
  'ports',
  'pages',
  'canonical',
  'merkle',
  'signing',
  'grant',
  'timestamp',
  'change',
  'sql',
  'detectors',
  'policy',
  'inspection',
  'enforcement',
  'reconciliation',
  'evidence',
  'disclosure',
  'snapshot',
  'diff',
  'dbt',
  'replay',
];

const LAYERS = {
  core: '^libs/core/',
  adapter: '^libs/adapters/',
  runtime: '^libs/runtime/',
  testing: '^(libs/testing|test)/',
  stack: '^compose/',
  service: '^services/',
  cli: '^cli/',
  // What others take along alone: the verifier, and what their programs use to talk to us.
  verifier: '^(verifiers|sdk)/',
  scenario: '^packs/scenarios/',
  tool: '^tools/',
};

const MAY_IMPORT = {
  core: [],
  adapter: ['core'],
  runtime: ['adapter', 'core'],
  stack: ['adapter', 'core'],
  // The attestor runs the verifier as a package; `only-the-attestor-verifies` keeps the other services off it.
  service: ['runtime', 'adapter', 'core', 'verifier'],
  cli: ['runtime', 'adapter', 'core', 'stack', 'service', 'verifier', 'scenario'],
  verifier: [],
  scenario: ['adapter', 'core'],
  tool: ['runtime', 'adapter', 'core'],
};

/** One importer for each I/O library, so that another client can take its place. */
const IMPORTERS = {
  kafkajs: ['^libs/adapters/kafka/', '^sdk/typescript/', '^integrations/kafka/', '^test/e2e/kafka-door'],
  avsc: ['^libs/adapters/avro/'],
  '@kafkajs/confluent-schema-registry': ['^libs/adapters/avro/'],
  pg: ['^libs/adapters/postgres/'],
  'pg-logical-replication': ['^libs/adapters/postgres/'],
  tweetnacl: ['^libs/adapters/sealing/'],
  'libpg-query': ['^libs/adapters/sql/'],
  '@guanmingchiu/sqlparser-ts': ['^libs/adapters/sql/'],
  '@aws-sdk/client-kms': ['^libs/adapters/signing/', '^test/'],
  '@aws-sdk/client-s3': ['^libs/adapters/blob/', '^test/'],
  'snowflake-sdk': ['^libs/adapters/snowflake/'],
  '@databricks/sql': ['^libs/adapters/databricks/', '^test/'],
  thrift: ['^test/'],
  'openid-client': ['^libs/adapters/oidc/'],
  undici: ['^services/intake/', '^libs/testing/', '^test/'],
};

/** Matches a package whether it was resolved (…/node_modules/name/…) or not (name). */
const npmPackage = (name) => `(^|node_modules/)${name}(/|$)`;
const slug = (name) => name.replaceAll(/[^a-z]+/g, '-').replaceAll(/^-|-$/g, '');

const layerRules = Object.entries(MAY_IMPORT).map(([layer, allowed]) => ({
  name: `${layer}-imports`,
  severity: 'error',
  comment: `${layer} may import of ours only: ${[layer, ...allowed].join(', ')}. Move what both need down, or pass it in as a port.`,
  // Test files of a package may use libs/testing; their other imports follow the same direction.
  from: { path: LAYERS[layer], pathNot: TEST_FILE },
  to: {
    path: Object.values(LAYERS),
    pathNot: [layer, ...allowed].map((name) => LAYERS[name]),
  },
}));

const testFileRules = Object.entries(MAY_IMPORT).map(([layer, allowed]) => ({
  name: `${layer}-test-imports`,
  severity: 'error',
  comment: `A test of ${layer} may import what ${layer} may, and libs/testing. A test that needs more stands in test/.`,
  from: { path: `${LAYERS[layer]}.*${TEST_FILE}` },
  to: {
    path: Object.values(LAYERS),
    pathNot: [layer, ...allowed].map((name) => LAYERS[name]).concat(layer === 'verifier' ? [] : ['^libs/testing/']),
  },
}));

const coreOrderRules = CORE_ORDER.slice(0, -1).map((folder, index) => ({
  name: `core-order-${folder}`,
  severity: 'error',
  comment: `libs/core/src/${folder} may only import the folders before it: ${CORE_ORDER.join(' < ')}.`,
  from: { path: `^libs/core/src/${folder}/`, pathNot: TEST_FILE },
  to: { path: `^libs/core/src/(${CORE_ORDER.slice(index + 1).join('|')})/` },
}));

const importerRules = Object.entries(IMPORTERS).map(([name, importers]) => ({
  name: `one-importer-${slug(name)}`,
  severity: 'error',
  comment: `${name} is imported only under ${importers.join(', ')}. Use that adapter, or add what it lacks.`,
  from: { pathNot: [...importers, 'node_modules'] },
  to: { path: npmPackage(name) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...layerRules,
    ...testFileRules,
    ...coreOrderRules,
    ...importerRules,
    {
      name: 'core-folder-has-a-place',
      severity: 'error',
      comment:
        'Each folder of libs/core/src has a place in CORE_ORDER of .dependency-cruiser.cjs: put the new one there.',
      from: { path: '^libs/core/src/', pathNot: `^libs/core/src/(${CORE_ORDER.join('|')})/` },
      to: {},
    },
    {
      name: 'core-is-pure',
      severity: 'error',
      comment:
        'libs/core takes of Node only node:crypto. Time, files, network and environment arrive as arguments or ports.',
      from: { path: LAYERS.core, pathNot: TEST_FILE },
      to: { dependencyTypes: ['core'], pathNot: '^(node:)?crypto$' },
    },
    {
      name: 'core-takes-three-packages',
      severity: 'error',
      comment: 'libs/core takes of npm only ajv, ajv-formats and yaml. Anything else belongs in an adapter.',
      from: { path: LAYERS.core, pathNot: TEST_FILE },
      to: {
        path: ['node_modules/', '^[a-z@][^./]*(/|$)'],
        pathNot: [npmPackage('(ajv|ajv-formats|yaml)'), ...Object.values(LAYERS)],
        dependencyTypesNot: ['core', 'local'],
      },
    },
    {
      name: 'services-stay-apart',
      severity: 'error',
      comment: 'A service never imports another: they meet only in topics. Move shared rules to libs/core.',
      from: { path: '^services/([^/]+)/' },
      to: { path: '^services/', pathNot: '^services/$1/' },
    },
    {
      name: 'adapters-stay-apart',
      severity: 'error',
      comment: 'An adapter wraps one library and never imports another: whoever composes them passes one to the other.',
      from: { path: '^libs/adapters/([^/]+)/' },
      to: { path: '^libs/adapters/', pathNot: '^libs/adapters/$1/' },
    },
    {
      name: 'only-the-attestor-verifies',
      severity: 'error',
      comment: 'The verifiers share no mistake with the producer: of the services only the attestor runs one.',
      from: { path: '^services/', pathNot: '^services/attestor/' },
      to: { path: LAYERS.verifier },
    },
    {
      name: 'nest-is-the-shell',
      severity: 'error',
      comment:
        'Nest is the composition root: only libs/runtime, the services and the cli name it. Rules belong in libs/core.',
      from: { pathNot: ['^libs/runtime/', '^services/', '^cli/', '^test/', 'node_modules'] },
      to: { path: npmPackage('@nestjs') },
    },
    {
      name: 'no-import-of-tests',
      severity: 'error',
      comment: 'Sources and tests never import a test file: move what they share to a file of its own.',
      from: {},
      to: { path: '\\.test\\.ts$' },
    },
    {
      name: 'no-import-of-test-support',
      severity: 'error',
      comment:
        'Only tests and benches use what a folder test-support holds: a source that needs it needs a file of its own.',
      from: { pathNot: [TEST_FILE, '^test/bench/'] },
      to: { path: '/test-support/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      comment: 'Two files that need each other are one concept, or hide a third one: name it.',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'The import leads nowhere: a typo, or a package that is not in package.json.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: ['/dist/', '/fixtures/', '^\\.nx/'] },
    tsPreCompilationDeps: true,
    moduleSystems: ['es6', 'cjs'],
    // Without the condition, imports of workspace packages are not seen at all.
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['@clyra/source', 'import', 'node', 'default', 'types'],
      mainFields: ['module', 'main', 'types', 'typings'],
    },
  },
};
