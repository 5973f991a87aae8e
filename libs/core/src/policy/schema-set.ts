// SPDX-License-Identifier: Apache-2.0
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormatsModule from 'ajv-formats';
import type { JsonObject, JsonValue } from '../canonical/json-value.ts';
import { ClyraError } from '../kernel/error.ts';
import { declaredNames } from './check-schema-document.ts';
import { replaceComparingKeywords } from './schema-keywords.ts';

/** A fault at its place in the value, with the types that were wanted where it is one of type. For repairs only: the path is the caller's text. */
export type SchemaFault = { readonly path: string; readonly keyword: string; readonly types: readonly string[] };

export type SchemaFinding = { readonly pointer: string; readonly rule: string };

const FINDINGS_MAX = 8;
const POINTER_LENGTH_MAX = 256;
const addFormats = addFormatsModule.default;

type CompiledSchema = {
  readonly first: ValidateFunction;
  readonly all: () => ValidateFunction;
  readonly names: ReadonlySet<string>;
};

/** The JSON Schemas (2020-12) of one policy, compiled once. Evaluation is strict and changes nothing in the value. */
export class SchemaSet {
  readonly #schemas = new Map<string, CompiledSchema>();

  /** Throws CLY_POLICY_SCHEMA for the first schema that does not compile. */
  constructor(schemas: Readonly<Record<string, JsonObject>>) {
    for (const [id, schema] of Object.entries(schemas)) this.#schemas.set(id, compileSchema(id, schema));
  }

  /**
   * No finding means valid. `listAll` asks for up to 8 findings instead of the first; the caller keeps it for small
   * values, since a large one can have as many faults as it has members.
   */
  check(id: string, value: JsonValue, listAll: boolean): readonly SchemaFinding[] {
    const schema = this.#schemas.get(id);
    if (schema === undefined) throw new ClyraError('CLY_POLICY_SCHEMA', `no schema ${id}`, { retry: 'never' });
    if (schema.first(value) === true) return [];
    if (!listAll) return findingsOf(schema.first.errors ?? [], schema.names);
    const all = schema.all();
    all(value);
    return findingsOf(all.errors ?? [], schema.names);
  }

  /** Every fault that stands for itself: not those inside alternatives, of which another may be meant. */
  faults(id: string, value: JsonValue): readonly SchemaFault[] {
    const all = this.#schemas.get(id)?.all();
    if (all === undefined || all(value) === true) return [];
    return (all.errors ?? [])
      .filter(({ schemaPath }) => !/\/(?:anyOf|oneOf|not|if|contains)(?:\/|$)/.test(schemaPath))
      .map(({ instancePath, keyword, params }) => ({ path: instancePath, keyword, types: typesOf(params['type']) }));
  }

  /** The path with `*` for names that the schema does not declare. */
  safePath(id: string, path: string): string {
    const names = this.#schemas.get(id)?.names ?? new Set<string>();
    return path
      .split('/')
      .map((name, index) => (index === 0 ? '' : safeName(name, names)))
      .join('/')
      .slice(0, POINTER_LENGTH_MAX);
  }
}

function typesOf(type: unknown): readonly string[] {
  if (typeof type === 'string') return type.split(',');
  return Array.isArray(type) ? type.filter((word) => typeof word === 'string') : [];
}

function compileSchema(id: string, schema: JsonObject): CompiledSchema {
  let all: ValidateFunction | undefined;
  return {
    first: compileWith(id, schema, false),
    all: () => {
      all ??= compileWith(id, schema, true);
      return all;
    },
    names: declaredNames(schema),
  };
}

/** Throws CLY_POLICY_SCHEMA with the compiler's words. */
export function compileWith(id: string, schema: JsonObject, allErrors: boolean): ValidateFunction {
  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true, allErrors, logger: false });
  replaceComparingKeywords(ajv);
  addFormats(ajv);
  try {
    return ajv.compile(schema);
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : 'unknown';
    throw new ClyraError('CLY_POLICY_SCHEMA', `correct schema ${id}: ${words}`, { retry: 'never', cause });
  }
}

/** Names that the schema does not declare are the caller's text, so `*` stands for them. */
function findingsOf(errors: readonly ErrorObject[], names: ReadonlySet<string>): SchemaFinding[] {
  const findings = new Map<string, SchemaFinding>();
  for (const error of errors) {
    const missing: unknown = error.params['missingProperty'];
    const pointer = error.instancePath + (typeof missing === 'string' ? `/${missing}` : '');
    const safe = pointer.split('/').map((name, index) => (index === 0 ? '' : safeName(name, names)));
    const finding = { pointer: safe.join('/').slice(0, POINTER_LENGTH_MAX), rule: error.keyword.slice(0, 64) };
    findings.set(`${finding.pointer}\n${finding.rule}`, finding);
    if (findings.size === FINDINGS_MAX) break;
  }
  return [...findings.values()];
}

function safeName(name: string, names: ReadonlySet<string>): string {
  const plain = name.replaceAll('~1', '/').replaceAll('~0', '~');
  const known = names.has(plain) && /^[A-Za-z0-9_.$@ -]{1,64}$/.test(plain);
  return known || /^[0-9]{1,6}$/.test(name) ? name : '*';
}
