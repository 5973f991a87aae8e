// SPDX-License-Identifier: Apache-2.0
import { isCommitment } from '../canonical/commitment-value.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { DECIMAL } from '../kernel/decimal.ts';
import { checkChangeSetFact } from './change-set-fact.ts';
import { checkDeployFact, checkRowsFact, checkVoiceFact } from './conversation-facts.ts';
import { checkDetectorFacts, checkExternalFact, EXTERNAL_FACTS_MAX } from './detector-fact.ts';
import { checkDbtFact, checkItemsFact, checkRepairFact, checkValidatorFact } from './inspection-facts.ts';
import {
  ID,
  METHOD,
  onlyMembers,
  readDigest,
  readInteger,
  readList,
  readObject,
  readText,
  SHORT_TEXT,
  shapeError,
} from './shape.ts';
import { checkSqlFact, SQL_FACTS_MAX } from './sql-fact.ts';

const MEMBERS = new Set([
  'route',
  'method',
  'target_digest',
  'principal',
  'tenants',
  'actors',
  'nonce_digest',
  'content',
  'payload_digest',
  'payload_size',
  'canonical_digest',
  'schema',
  'idempotency',
  'velocity',
  'amounts',
  'headers_missing',
  'voice',
  'deploy',
  'rows',
  'execution_token_hash',
  'inspected_under',
  'origin',
  'client_app_id',
  'session_id',
  'sql',
  'detectors',
  'external_detectors',
  'items',
  'repair',
  'validators',
  'dbt_test_results',
  'change_set',
]);
/** Section and id of a rule. */
const RULE_NAME = /^[a-z_]{1,32}\/[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/;
const IDEMPOTENCY_MEMBERS = new Set(['key_digest', 'fingerprint']);
const UNDER_MEMBERS = new Set(['policy_digest', 'inspector']);
const CLAIM_MEMBERS = new Set(['from', 'value']);
const SCHEMA_MEMBERS = new Set(['id', 'verdict', 'errors']);
const ERROR_MEMBERS = new Set(['pointer', 'rule']);
const AMOUNT_MEMBERS = new Set(['rule', 'value', 'currency']);
const VELOCITY_MEMBERS = new Set(['rule', 'key_digest']);
const CONTENT = /^(?:ok|CLY_[A-Z0-9_]{1,60})$/;
const VERDICT = /^(?:valid|invalid|not_required|not_checked)$/;
const FROM = /^(?:credential|header|body)$/;

/** Shape of `facts` (docs/spec/records.md §4.1). Throws CLY_RECORD_SHAPE. */
export function checkFacts(facts: JsonObject): void {
  onlyMembers(facts, MEMBERS);
  if (facts['route'] !== null) readText(facts, 'route', ID);
  readText(facts, 'method', METHOD);
  for (const name of ['target_digest', 'nonce_digest', 'payload_digest', 'execution_token_hash'])
    readDigest(facts, name);
  if (facts['canonical_digest'] !== null) readDigest(facts, 'canonical_digest');
  readText(facts, 'principal', ID);
  checkClaims(readList(facts, 'tenants', 8));
  checkClaims(readList(facts, 'actors', 8));
  readText(facts, 'content', CONTENT);
  readInteger(facts, 'payload_size');
  checkSchema(readObject(facts, 'schema'));
  if (facts['idempotency'] !== null) {
    const idempotency = readObject(facts, 'idempotency');
    onlyMembers(idempotency, IDEMPOTENCY_MEMBERS);
    readDigest(idempotency, 'key_digest');
    readDigest(idempotency, 'fingerprint');
  }
  for (const entry of readList(facts, 'velocity', 16)) checkVelocity(entry);
  if (facts['amounts'] !== undefined) for (const entry of readList(facts, 'amounts', 64)) checkAmount(entry);
  if (facts['headers_missing'] !== undefined) {
    for (const name of readList(facts, 'headers_missing', 16)) readText({ name }, 'name', HEADER_NAME);
  }
  const under = readObject(facts, 'inspected_under');
  onlyMembers(under, UNDER_MEMBERS);
  if (under['policy_digest'] !== null) readDigest(under, 'policy_digest');
  readText(under, 'inspector', ID);
  checkAnalyses(facts);
  for (const name of ['origin', 'client_app_id', 'session_id']) {
    // Of class commit: the value itself, or what commits to it.
    if (facts[name] !== undefined && !isCommitment(facts[name])) readText(facts, name, SHORT_TEXT);
  }
}

/** What inspection found in the payload; absent where the policy did not ask for it. */
function checkAnalyses(facts: JsonObject): void {
  if (facts['change_set'] !== undefined) checkChangeSetFact(facts);
  if (facts['items'] !== undefined) checkItemsFact(readObject(facts, 'items'));
  if (facts['repair'] !== undefined) checkRepairFact(readObject(facts, 'repair'));
  if (facts['validators'] !== undefined) for (const fact of readList(facts, 'validators', 16)) checkValidatorFact(fact);
  if (facts['dbt_test_results'] !== undefined) {
    for (const fact of readList(facts, 'dbt_test_results', 16)) checkDbtFact(fact);
  }
  if (facts['sql'] !== undefined) for (const fact of readList(facts, 'sql', SQL_FACTS_MAX)) checkSqlFact(fact);
  if (facts['detectors'] !== undefined) checkDetectorFacts(readObject(facts, 'detectors'));
  if (facts['voice'] !== undefined) for (const fact of readList(facts, 'voice', 16)) checkVoiceFact(fact);
  if (facts['deploy'] !== undefined) for (const fact of readList(facts, 'deploy', 16)) checkDeployFact(fact);
  if (facts['rows'] !== undefined) for (const fact of readList(facts, 'rows', 16)) checkRowsFact(fact);
  if (facts['external_detectors'] === undefined) return;
  for (const fact of readList(facts, 'external_detectors', EXTERNAL_FACTS_MAX)) checkExternalFact(fact);
}

function checkClaims(claims: readonly JsonValue[]): void {
  if (claims.length === 0) throw shapeError('a request has a claimed tenant and actor');
  for (const claim of claims) {
    if (!isJsonObject(claim)) throw shapeError('a claim is not an object');
    onlyMembers(claim, CLAIM_MEMBERS);
    readText(claim, 'from', FROM);
    readText(claim, 'value', SHORT_TEXT);
  }
}

function checkSchema(schema: JsonObject): void {
  onlyMembers(schema, SCHEMA_MEMBERS);
  if (schema['id'] !== null) readText(schema, 'id', ID);
  readText(schema, 'verdict', VERDICT);
  for (const error of readList(schema, 'errors', 8)) {
    if (!isJsonObject(error)) throw shapeError('a schema error is not an object');
    onlyMembers(error, ERROR_MEMBERS);
    readText(error, 'pointer', SHORT_TEXT);
    readText(error, 'rule', SHORT_TEXT);
  }
}

const HEADER_NAME = /^[a-z0-9][a-z0-9-]{0,63}$/;
const CURRENCY = /^[A-Z]{3}$/;

function checkAmount(entry: JsonValue): void {
  if (!isJsonObject(entry)) throw shapeError('an amount is not an object');
  onlyMembers(entry, AMOUNT_MEMBERS);
  readText(entry, 'rule', RULE_NAME);
  if (entry['value'] !== null) readText(entry, 'value', DECIMAL);
  if (entry['currency'] !== null) readText(entry, 'currency', CURRENCY);
}

function checkVelocity(entry: JsonValue): void {
  if (!isJsonObject(entry)) throw shapeError('a velocity entry is not an object');
  onlyMembers(entry, VELOCITY_MEMBERS);
  readText(entry, 'rule', ID);
  readDigest(entry, 'key_digest');
}
