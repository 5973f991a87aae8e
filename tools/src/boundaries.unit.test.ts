// SPDX-License-Identifier: Apache-2.0
// Proves that the boundary check can fail. A small tree, laid out as ours is, breaks each rule of .dependency-cruiser.cjs
// once; the check must name every one of them, and nothing in the files that keep the rules.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

const ROOT = join(import.meta.dirname, '../..');
const CONFIG = join(ROOT, '.dependency-cruiser.cjs');

type Rule = { readonly name: string };
type Violation = { readonly rule: Rule; readonly from: string };
type Report = { readonly summary: { readonly violations: readonly Violation[] } };

const { forbidden } = createRequire(import.meta.url)(CONFIG) as { readonly forbidden: readonly Rule[] };

/** Breaks one rule each: the importing file, and what it imports. */
const OFFENDERS: Readonly<Record<string, readonly [from: string, specifier: string]>> = {
  'core-imports': ['libs/core/src/kernel/core-imports.ts', '@clyra/runtime/plain'],
  'adapter-imports': ['libs/adapters/kafka/src/adapter-imports.ts', '@clyra/runtime/plain'],
  'runtime-imports': ['libs/runtime/src/runtime-imports.ts', '@clyra/intake/plain'],
  'stack-imports': ['compose/src/stack-imports.ts', '@clyra/runtime/plain'],
  'service-imports': ['services/intake/src/service-imports.ts', '@clyra/testing/plain'],
  'cli-imports': ['cli/src/cli-imports.ts', '@clyra/testing/plain'],
  'verifier-imports': ['verifiers/ts/src/verifier-imports.ts', '@clyra/core/kernel/plain'],
  'scenario-imports': ['packs/scenarios/activation/src/scenario-imports.ts', '@clyra/intake/plain'],
  'tool-imports': ['tools/src/tool-imports.ts', '@clyra/intake/plain'],
  'core-test-imports': ['libs/core/src/kernel/core.unit.test.ts', '@clyra/runtime/plain'],
  'adapter-test-imports': ['libs/adapters/kafka/src/adapter.unit.test.ts', '@clyra/intake/plain'],
  'runtime-test-imports': ['libs/runtime/src/runtime.unit.test.ts', '@clyra/intake/plain'],
  'stack-test-imports': ['compose/src/stack.unit.test.ts', '@clyra/intake/plain'],
  'service-test-imports': ['services/intake/src/service.unit.test.ts', '@clyra/stack/plain'],
  'cli-test-imports': ['cli/src/cli.unit.test.ts', '@clyra/tools/plain'],
  'verifier-test-imports': ['verifiers/ts/src/verifier.unit.test.ts', '@clyra/testing/plain'],
  'scenario-test-imports': ['packs/scenarios/activation/src/scenario.unit.test.ts', '@clyra/intake/plain'],
  'tool-test-imports': ['tools/src/tool.unit.test.ts', '@clyra/intake/plain'],
  'one-importer-aws-sdk-client-kms': ['services/intake/src/kms.ts', '@aws-sdk/client-kms'],
  'one-importer-aws-sdk-client-s': ['services/intake/src/s3.ts', '@aws-sdk/client-s3'],
  'one-importer-kafkajs': ['services/intake/src/kafka.ts', 'kafkajs'],
  'one-importer-avsc': ['services/intake/src/avsc.ts', 'avsc'],
  'one-importer-kafkajs-confluent-schema-registry': [
    'services/intake/src/reg.ts',
    '@kafkajs/confluent-schema-registry',
  ],
  'one-importer-pg': ['services/intake/src/pg.ts', 'pg'],
  'one-importer-pg-logical-replication': ['services/intake/src/wal.ts', 'pg-logical-replication'],
  'one-importer-tweetnacl': ['services/intake/src/nacl.ts', 'tweetnacl'],
  'one-importer-libpg-query': ['services/intake/src/sql.ts', 'libpg-query'],
  'one-importer-guanmingchiu-sqlparser-ts': ['services/intake/src/sql-other.ts', '@guanmingchiu/sqlparser-ts'],
  'one-importer-snowflake-sdk': ['services/recorder/src/snowflake.ts', 'snowflake-sdk'],
  'one-importer-openid-client': ['services/intake/src/sign-in.ts', 'openid-client'],
  'one-importer-databricks-sql': ['services/recorder/src/databricks.ts', '@databricks/sql'],
  'one-importer-thrift': ['services/recorder/src/thrift.ts', 'thrift'],
  'one-importer-undici': ['services/enforcer/src/http.ts', 'undici'],
  'core-folder-has-a-place': ['libs/core/src/elsewhere/place.ts', 'node:crypto'],
  'core-is-pure': ['libs/core/src/kernel/impure.ts', 'node:fs'],
  'core-takes-three-packages': ['libs/core/src/kernel/package.ts', 'fast-check'],
  'services-stay-apart': ['services/intake/src/apart.ts', '@clyra/enforcer/plain'],
  'adapters-stay-apart': ['libs/adapters/blob/src/apart.ts', '@clyra/adapter-kafka/plain'],
  'only-the-attestor-verifies': ['services/intake/src/verify.ts', '@clyra/verifier/plain'],
  'nest-is-the-shell': ['libs/adapters/kafka/src/nest.ts', '@nestjs/common'],
  'no-import-of-tests': ['services/intake/src/use-test.ts', './plain.unit.test.ts'],
  'no-import-of-test-support': ['services/intake/src/use-support.ts', './test-support/plain.ts'],
  'no-circular': ['services/intake/src/circle-a.ts', './circle-b.ts'],
  'no-unresolvable': ['services/intake/src/typo.ts', './tpyo.ts'],
};

/** Keep every rule: each must stay unnamed. */
const LAW_ABIDING: readonly (readonly [from: string, specifier: string])[] = [
  ['libs/core/src/change/good.ts', '../kernel/plain.ts'],
  ['libs/core/src/change/digest.ts', 'node:crypto'],
  ['libs/core/src/change/schema.ts', 'ajv'],
  ['libs/core/src/change/good.prop.test.ts', 'fast-check'],
  ['libs/adapters/kafka/src/good.ts', 'kafkajs'],
  ['libs/runtime/src/good.ts', '@nestjs/common'],
  ['services/intake/src/good.ts', '@clyra/core/kernel/plain'],
  ['services/intake/src/forward.ts', 'undici'],
  ['services/intake/src/good.unit.test.ts', '@clyra/testing/plain'],
  ['services/intake/src/supported.unit.test.ts', './test-support/plain.ts'],
  ['services/intake/src/test-support/good.ts', '@clyra/testing/plain'],
  ['services/attestor/src/good.ts', '@clyra/verifier/plain'],
  ['cli/src/good.ts', '@clyra/intake/plain'],
];

const PACKAGES: Readonly<Record<string, string>> = {
  core: 'libs/core',
  'adapter-kafka': 'libs/adapters/kafka',
  runtime: 'libs/runtime',
  testing: 'libs/testing',
  stack: 'compose',
  intake: 'services/intake',
  enforcer: 'services/enforcer',
  attestor: 'services/attestor',
  cli: 'cli',
  verifier: 'verifiers/ts',
  'scenario-activation': 'packs/scenarios/activation',
  tools: 'tools',
};

/** The folders of core in their order, as the rules name them: each but the last has a rule. */
const CORE_ORDER = forbidden.flatMap(({ name }) => /^core-order-(.+)$/.exec(name)?.[1] ?? []);

const importOf = (specifier: string): string => `import '${specifier}';\n`;

function write(tree: string, path: string, text: string): void {
  mkdirSync(join(tree, dirname(path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}

function writePackages(tree: string): void {
  const exports = { './*': { '@clyra/source': './src/*.ts', default: './dist/*.js' } };
  mkdirSync(join(tree, 'node_modules/@clyra'), { recursive: true });
  for (const [name, folder] of Object.entries(PACKAGES)) {
    write(tree, `${folder}/package.json`, JSON.stringify({ name: `@clyra/${name}`, type: 'module', exports }));
    write(tree, `${folder}/src/plain.ts`, 'export const plain = 1;\n');
    symlinkSync(join(tree, folder), join(tree, 'node_modules/@clyra', name));
  }
  const installed = Object.values(OFFENDERS)
    .concat(LAW_ABIDING)
    .map(([, specifier]) => specifier);
  for (const name of installed.filter((specifier) => !/^(\.|node:|@clyra\/)/.test(specifier))) {
    write(tree, `node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(tree, `node_modules/${name}/index.js`, '');
  }
}

function writeTree(tree: string): void {
  write(tree, 'package.json', JSON.stringify({ name: 'tree', type: 'module' }));
  writePackages(tree);
  write(tree, 'libs/core/src/kernel/plain.ts', 'export const plain = 1;\n');
  write(tree, 'services/intake/src/plain.unit.test.ts', 'export const plain = 1;\n');
  write(tree, 'services/intake/src/test-support/plain.ts', 'export const plain = 1;\n');
  write(tree, 'services/intake/src/circle-b.ts', importOf('./circle-a.ts'));
  write(tree, 'libs/core/src/replay/last.ts', 'export const last = 1;\n');
  for (const folder of CORE_ORDER) {
    write(tree, `libs/core/src/${folder}/backwards.ts`, importOf('../replay/last.ts'));
  }
  for (const [from, specifier] of Object.values(OFFENDERS).concat(LAW_ABIDING)) write(tree, from, importOf(specifier));
}

describe('the boundary check', () => {
  let tree = '';
  let violations: readonly Violation[] = [];
  const rulesBrokenBy = (from: string): readonly string[] => [
    ...new Set(violations.filter((found) => found.from === from).map((found) => found.rule.name)),
  ];

  beforeAll(() => {
    tree = mkdtempSync(join(tmpdir(), 'clyra-boundaries-'));
    writeTree(tree);
    const folders = ['libs', 'services', 'cli', 'compose', 'packs', 'verifiers', 'tools'];
    const run = spawnSync(
      process.execPath,
      [join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'), '-c', CONFIG, '-T', 'json', ...folders],
      { cwd: tree, encoding: 'utf8', env: { ...process.env, NODE_OPTIONS: '' }, timeout: 60_000, maxBuffer: 2 ** 26 },
    );
    violations = (JSON.parse(run.stdout) as Report).summary.violations;
  }, 90_000);

  afterAll(() => rmSync(tree, { recursive: true, force: true }));

  it.each(Object.entries(OFFENDERS))('%s is named', (rule, [from]) => {
    expect(rulesBrokenBy(from)).toEqual([rule]);
  });

  it.each(CORE_ORDER)('core-order-%s is named', (folder) => {
    expect(rulesBrokenBy(`libs/core/src/${folder}/backwards.ts`)).toEqual([`core-order-${folder}`]);
  });

  it.each(LAW_ABIDING)('nothing is named in %s', (from) => {
    expect(rulesBrokenBy(from)).toEqual([]);
  });

  it('has a case here for each of its rules', () => {
    const shown = Object.keys(OFFENDERS).concat(CORE_ORDER.map((folder) => `core-order-${folder}`));
    expect(shown.sort()).toEqual(forbidden.map((rule) => rule.name).sort());
  });
});
