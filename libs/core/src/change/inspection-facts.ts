// SPDX-License-Identifier: Apache-2.0
import type { Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { ID, onlyMembers, readDigest, readInteger, readList, readText, SHORT_TEXT, shapeError } from './shape.ts';

/** How many items a streamed body has: lines, or the elements of its list. */
export type ItemsFact = { readonly form: 'json' | 'ndjson' | 'items'; readonly count: number };

export type ValidatorFact = {
  readonly rule: string;
  readonly verdict: 'valid' | 'invalid' | 'not_checked';
  readonly errors: readonly { readonly pointer: string; readonly rule: string }[];
};

/**
 * The one repair of a body. `patch_digest` is that of the canonical RFC 6902 patch from the received to the forwarded
 * value; the repair is a function of body and policy, so whoever has the body can make the patch again.
 */
export type RepairFact = {
  readonly kind: 'syntax' | 'coercion';
  readonly changes: readonly { readonly path: string; readonly repair: string }[];
  readonly count: number;
  readonly patch_digest: Digest;
  /** Of the bytes that are forwarded. */
  readonly repaired_digest: Digest;
  readonly repaired_size: number;
};

/** What dbt's run_results.json says of its tests. */
export type DbtFact = {
  readonly rule: string;
  readonly state: 'read' | 'missing' | 'unreadable';
  /** RFC 8785 digest of the document. */
  readonly digest: Digest | null;
  readonly invocation_id: string | null;
  readonly dbt_version: string | null;
  readonly generated_at: string | null;
  readonly tests: number;
  readonly passed: number;
  readonly failed: number;
  readonly errors: number;
  readonly warned: number;
  readonly skipped: number;
  /** Models, seeds and snapshots that did not come to be. */
  readonly nodes_failed: number;
  readonly required_missing: number;
  /** Unique ids of tests that failed or are missing, the first few. */
  readonly named: readonly string[];
};

export type ResponseEnd = 'open' | 'complete' | 'cut' | 'stalled' | 'too_long' | 'too_large' | 'invalid';

/** What of an upstream's answer was passed on. */
export type ResponseFact = {
  readonly form: 'json' | 'ndjson' | 'items' | 'sse' | 'bytes';
  readonly end: ResponseEnd;
  readonly size: number;
  readonly digest: Digest;
  /** Events, lines or elements. */
  readonly items?: number;
  /** RFC 6962 root over the events as they were sent. */
  readonly root?: Digest;
  readonly schema?: {
    readonly id: string;
    readonly verdict: 'valid' | 'invalid' | 'not_checked';
    readonly errors: readonly { readonly pointer: string; readonly rule: string }[];
  };
};

const FORM = /^(?:json|ndjson|items)$/;
const VERDICT = /^(?:valid|invalid|not_checked)$/;
const KIND = /^(?:syntax|coercion)$/;
const WORD = /^[a-z][a-z_]{0,31}$/;
const STATE = /^(?:read|missing|unreadable)$/;
const DBT_COUNTS = ['tests', 'passed', 'failed', 'errors', 'warned', 'skipped', 'nodes_failed', 'required_missing'];
const DBT_TEXTS = ['invocation_id', 'dbt_version', 'generated_at'];
const DBT_MEMBERS = new Set(['rule', 'state', 'digest', 'named', ...DBT_COUNTS, ...DBT_TEXTS]);
const REPAIR_MEMBERS = new Set(['kind', 'changes', 'count', 'patch_digest', 'repaired_digest', 'repaired_size']);

const RESPONSE_FORM = /^(?:json|ndjson|items|sse|bytes)$/;
const END = /^(?:open|complete|cut|stalled|too_long|too_large|invalid)$/;

export function checkResponseFact(fact: JsonObject): void {
  onlyMembers(fact, new Set(['form', 'end', 'size', 'digest', 'items', 'root', 'schema']));
  readText(fact, 'form', RESPONSE_FORM);
  readText(fact, 'end', END);
  readInteger(fact, 'size');
  readDigest(fact, 'digest');
  if (fact['items'] !== undefined) readInteger(fact, 'items');
  if (fact['root'] !== undefined) readDigest(fact, 'root');
  if (fact['schema'] === undefined) return;
  const { id, ...schema } = objectOf(fact['schema'], new Set(['id', 'verdict', 'errors']));
  checkValidatorFact({ ...schema, rule: id as JsonValue });
}

export function checkItemsFact(fact: JsonObject): void {
  onlyMembers(fact, new Set(['form', 'count']));
  readText(fact, 'form', FORM);
  readInteger(fact, 'count');
}

export function checkValidatorFact(value: JsonValue): void {
  const fact = objectOf(value, new Set(['rule', 'verdict', 'errors']));
  readText(fact, 'rule', ID);
  readText(fact, 'verdict', VERDICT);
  for (const entry of readList(fact, 'errors', 4)) {
    const error = objectOf(entry, new Set(['pointer', 'rule']));
    readText(error, 'pointer', SHORT_TEXT);
    readText(error, 'rule', SHORT_TEXT);
  }
}

export function checkRepairFact(fact: JsonObject): void {
  onlyMembers(fact, REPAIR_MEMBERS);
  readText(fact, 'kind', KIND);
  for (const entry of readList(fact, 'changes', 8)) {
    const change = objectOf(entry, new Set(['path', 'repair']));
    readText(change, 'path', SHORT_TEXT);
    readText(change, 'repair', WORD);
  }
  readInteger(fact, 'count', 1);
  readDigest(fact, 'patch_digest');
  readDigest(fact, 'repaired_digest');
  readInteger(fact, 'repaired_size');
}

export function checkDbtFact(value: JsonValue): void {
  const fact = objectOf(value, DBT_MEMBERS);
  readText(fact, 'rule', ID);
  readText(fact, 'state', STATE);
  if (fact['digest'] !== null) readDigest(fact, 'digest');
  for (const name of DBT_TEXTS) if (fact[name] !== null) readText(fact, name, SHORT_TEXT);
  for (const name of DBT_COUNTS) readInteger(fact, name);
  for (const name of readList(fact, 'named', 4)) readText({ name }, 'name', SHORT_TEXT);
}

function objectOf(value: JsonValue, members: ReadonlySet<string>): JsonObject {
  if (!isJsonObject(value)) throw shapeError('a finding is not an object');
  onlyMembers(value, members);
  return value;
}
