// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonValue } from '../canonical/json-value.ts';
import { type Finding, pointerTo } from './policy-cursor.ts';
import { regexRisk } from './regex-risk.ts';

const PATTERN_LENGTH_MAX = 256;
/** These would make a verdict depend on something outside the policy, or arrive only as a promise. */
const REFUSED = new Set(['$async', '$id', '$anchor', '$dynamicAnchor', '$dynamicRef', '$vocabulary', '$data']);
/** Members whose value is data, not a schema. */
const DATA_MEMBERS = new Set(['const', 'enum', 'default', 'examples']);
/** Members whose names are chosen by the author. */
const NAMED_SCHEMAS = new Set(['properties', '$defs', 'dependentSchemas', 'dependentRequired']);

/** What the compiler does not refuse by itself: remote references, promises, and patterns too long to trust. */
export function checkSchemaDocument(schema: JsonValue | undefined, pointer: string, findings: Finding[]): void {
  if (Array.isArray(schema)) {
    for (const [index, item] of (schema as readonly JsonValue[]).entries()) {
      checkSchemaDocument(item, pointerTo(pointer, index), findings);
    }
    return;
  }
  if (!isJsonObject(schema)) return;
  for (const [name, value] of Object.entries(schema)) {
    const place = pointerTo(pointer, name);
    if (REFUSED.has(name)) findings.push({ pointer: place, message: `${name} is not allowed in a policy's schema` });
    if (name === '$ref' && !(typeof value === 'string' && /^#(?:\/\$defs\/[^/]+)?$/.test(value))) {
      findings.push({ pointer: place, message: 'a reference stays inside its schema: #/$defs/<name>' });
    }
    if (name === 'pattern') checkPattern(value, place, findings);
    if (DATA_MEMBERS.has(name)) continue;
    if (name === 'patternProperties' || NAMED_SCHEMAS.has(name)) {
      for (const [key, inner] of Object.entries(isJsonObject(value) ? value : {})) {
        const innerPlace = pointerTo(place, key);
        if (name === 'patternProperties') checkPattern(key, innerPlace, findings);
        checkSchemaDocument(inner, innerPlace, findings);
      }
      continue;
    }
    checkSchemaDocument(value, place, findings);
  }
}

function checkPattern(pattern: JsonValue | undefined, pointer: string, findings: Finding[]): void {
  if (typeof pattern !== 'string') return;
  if (pattern.length > PATTERN_LENGTH_MAX) {
    findings.push({
      pointer,
      message: `the pattern is longer than ${PATTERN_LENGTH_MAX}: check the value another way`,
    });
    return;
  }
  try {
    new RegExp(pattern, 'u');
  } catch {
    findings.push({ pointer, message: 'the pattern is not a regular expression' });
    return;
  }
  const risk = regexRisk(pattern);
  if (risk !== undefined) findings.push({ pointer, message: `the pattern can take very long: ${risk}` });
}

/** Every member name that a schema declares: only these may appear in a finding about a body. */
export function declaredNames(schema: JsonValue | undefined, names = new Set<string>()): Set<string> {
  if (Array.isArray(schema)) for (const item of schema as readonly JsonValue[]) declaredNames(item, names);
  if (!isJsonObject(schema)) return names;
  for (const [name, value] of Object.entries(schema)) {
    if (DATA_MEMBERS.has(name)) continue;
    if (name === 'properties' && isJsonObject(value)) for (const key of Object.keys(value)) names.add(key);
    declaredNames(value, names);
  }
  return names;
}
