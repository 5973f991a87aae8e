// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { checkSchemaDocument } from './check-schema-document.ts';
import type { Policy } from './policy.ts';
import { type Finding, PolicyCursor } from './policy-cursor.ts';
import { ID_RULE, MODES, readRoutes } from './read-routes.ts';
import { readApprovals, readFences, readGuarded, readIdempotency, readRateLimits } from './read-rules.ts';
import { compileWith } from './schema-set.ts';

export const POLICY_FORMAT = 'clyra/policy/v0';
const SCHEMAS_MAX = 256;
const SECTIONS = [
  'format',
  'name',
  'mode',
  'schemas',
  'routes',
  'idempotency',
  'tenant_fences',
  'rate_limits',
  'approvals',
  'guarded',
];

/** One reading for authored and for compiled policies: a compiled policy reads as itself. Notes every fault. */
export function readPolicy(document: JsonValue, findings: Finding[]): Policy {
  const policy = new PolicyCursor(document, '', findings);
  policy.objectOf(SECTIONS);
  const defaultMode = policy.oneOf('mode', MODES, 'gate');
  const schemas = readSchemas(policy, findings);
  const routes = readRoutes(policy, defaultMode, new Set(Object.keys(schemas)));
  const routeIds = new Set(routes.map((route) => route.id));
  return {
    format: policy.oneOf('format', [POLICY_FORMAT], POLICY_FORMAT),
    name: policy.text('name', ID_RULE),
    schemas,
    routes,
    idempotency: readIdempotency(policy, routeIds),
    tenant_fences: readFences(policy),
    rate_limits: readRateLimits(policy, routeIds),
    approvals: readApprovals(policy, routeIds),
    guarded: readGuarded(policy),
  };
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
