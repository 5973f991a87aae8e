// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { checkSchemaDocument } from './check-schema-document.ts';
import type { Policy, Route } from './policy.ts';
import { type Finding, PolicyCursor } from './policy-cursor.ts';
import { readApprovals, readBreakGlass, readPeople } from './read-approvals.ts';
import { listSchema } from './read-bodies.ts';
import { readCostCaps, readKillSwitch, readLoopBreaker } from './read-breakers.ts';
import { readDbtTests, readValidators } from './read-content-rules.ts';
import { readBodyStorage, readLineage, readThreatMap } from './read-evidence-rules.ts';
import { readDetectors, readExternalDetectors, readSqlSafety } from './read-inspections.ts';
import { ID_RULE, MODES, readRoutes } from './read-routes.ts';
import { readFences, readGuarded, readIdempotency, readRateLimits } from './read-rules.ts';
import { readDeploy, readVoice } from './read-voice-deploy.ts';
import type { RuleScope } from './rule-scope.ts';
import { compileWith } from './schema-set.ts';

export const POLICY_FORMAT = 'clyra/policy/v0';
const SCHEMAS_MAX = 256;
const SECTIONS = ['format', 'name', 'mode', 'schemas', 'routes', 'guarded'];

/** The sections whose rules an overlay may add to. */
export const RULE_SECTIONS = [
  'idempotency',
  'tenant_fences',
  'rate_limits',
  'approvals',
  'people',
  'break_glass',
  'kill_switch',
  'loop_breaker',
  'cost_caps',
  'sql_safety',
  'detectors',
  'external_detectors',
  'voice',
  'deploy',
  'lineage',
  'body_storage',
  'threat_map',
  'validators',
  'dbt_tests',
];

/** One reading for authored and for compiled policies: a compiled policy reads as itself. Notes every fault. */
export function readPolicy(document: JsonValue, findings: Finding[]): Policy {
  const policy = new PolicyCursor(document, '', findings);
  policy.objectOf([...SECTIONS, ...RULE_SECTIONS]);
  const defaultMode = policy.oneOf('mode', MODES, 'gate');
  const schemas = readSchemas(policy, findings);
  const schemaIds = new Set(Object.keys(schemas));
  const routes = readRoutes(policy, defaultMode, schemaIds);
  reportLists(policy, routes, schemas);
  return {
    format: policy.oneOf('format', [POLICY_FORMAT], POLICY_FORMAT),
    name: policy.text('name', ID_RULE),
    schemas,
    routes,
    ...readRuleSections(policy, { routes, overlay: null, remarks: [], schemas: schemaIds }),
    guarded: readGuarded(policy),
  };
}

export type RuleSections = Omit<Policy, 'format' | 'name' | 'schemas' | 'routes' | 'guarded'>;

export function readRuleSections(policy: PolicyCursor, scope: RuleScope): RuleSections {
  return {
    idempotency: readIdempotency(policy, scope),
    tenant_fences: readFences(policy),
    rate_limits: readRateLimits(policy, scope),
    approvals: readApprovals(policy, scope),
    people: readPeople(policy),
    break_glass: readBreakGlass(policy),
    kill_switch: readKillSwitch(policy, scope),
    loop_breaker: readLoopBreaker(policy, scope),
    cost_caps: readCostCaps(policy, scope),
    sql_safety: readSqlSafety(policy, scope),
    detectors: readDetectors(policy, scope),
    external_detectors: readExternalDetectors(policy, scope),
    voice: readVoice(policy, scope),
    deploy: readDeploy(policy, scope),
    lineage: readLineage(policy, scope),
    body_storage: readBodyStorage(policy),
    threat_map: readThreatMap(policy),
    ...readOptional(policy, scope),
  };
}

/** Sections that came later: left out where nothing is said, so that older policies keep their digests. */
function readOptional(policy: PolicyCursor, scope: RuleScope): Pick<Policy, 'validators' | 'dbt_tests'> {
  const validators = readValidators(policy, scope);
  const dbtTests = readDbtTests(policy, scope);
  return {
    ...(validators.length === 0 ? {} : { validators }),
    ...(dbtTests.length === 0 ? {} : { dbt_tests: dbtTests }),
  };
}

/** A whole value whose list is streamed needs a schema that can be judged item by item. */
function reportLists(
  policy: PolicyCursor,
  routes: readonly Route[],
  schemas: Readonly<Record<string, JsonObject>>,
): void {
  const cursors = policy.items('routes');
  for (const [index, route] of routes.entries()) {
    for (const [member, rule, schema] of [
      ['body', route.body, route.schema],
      ['response', route.response, route.response?.schema ?? null],
    ] as const) {
      if (rule?.form !== 'json' || rule.items === null || schema === null) continue;
      const found = listSchema(schemas[schema], rule.items);
      if (typeof found === 'string') cursors[index]?.member(member).member('items').report(found);
    }
  }
}

function readSchemas(policy: PolicyCursor, findings: Finding[]): Record<string, JsonObject> {
  const section = policy.member('schemas');
  const schemas: Record<string, JsonObject> = {};
  if (section.isAbsent()) return schemas;
  if (!isJsonObject(section.value)) {
    section.report('write a mapping from schema ids to JSON Schemas');
    return schemas;
  }
  const ids = Object.keys(section.value);
  if (ids.length > SCHEMAS_MAX) section.report(`at most ${SCHEMAS_MAX} schemas are allowed`);
  for (const id of ids.slice(0, SCHEMAS_MAX)) {
    const schema = section.member(id);
    if (!ID_RULE.pattern.test(id)) schema.report(`write ${ID_RULE.what}`);
    const value = schema.value;
    if (!isJsonObject(value)) {
      schema.report('a schema is a mapping');
      continue;
    }
    const before = findings.length;
    checkSchemaDocument(value, schema.pointer, findings);
    if (findings.length === before) reportUncompilable(schema, value);
    schemas[id] = value;
  }
  return schemas;
}

function reportUncompilable(cursor: PolicyCursor, schema: JsonObject): void {
  try {
    compileWith(cursor.pointer, schema, false);
  } catch (error) {
    cursor.report(error instanceof Error ? error.message : 'the schema does not compile');
  }
}
