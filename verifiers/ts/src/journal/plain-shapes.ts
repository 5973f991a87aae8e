// SPDX-License-Identifier: Apache-2.0
import type { JsonObject, JsonValue } from '../json/json-value.ts';
import { isHex } from '../json/shape.ts';

/*
 * Whether bodies surely have the shape that `bodies.ts` reads, told without copying them. These say yes only where those
 * readers accept; what they do not know is read there, and refused there with the member's name.
 */

const LSN = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/;

const isText = (value: JsonValue | undefined): boolean => typeof value === 'string';
const isId = (value: JsonValue | undefined): boolean => typeof value === 'string' && isHex(value, 32);
const isDigest = (value: JsonValue | undefined): boolean => typeof value === 'string' && isHex(value, 64);
/** Numbers of the record grammar are safe integers. */
const isCount = (value: JsonValue | undefined): boolean => typeof value === 'number' && value >= 0;

export function isReceiptBody(body: JsonObject): boolean {
  return (
    body.v === 0 &&
    (body.kind === 'decided' || body.kind === 'recorded') &&
    isText(body.change_kind) &&
    isId(body.receipt_id) &&
    isText(body.event_id) &&
    isText(body.tenant) &&
    isCount(body.tenant_seq) &&
    isDigest(body.tenant_prev) &&
    isId(body.stream_id) &&
    isCount(body.partition) &&
    isCount(body.offset) &&
    typeof body.previous_offset === 'number' &&
    body.previous_offset >= -1 &&
    isDigest(body.change_digest) &&
    isCount(body.decided_at) &&
    isRunOrNone(body) &&
    (body.state_digest === undefined || isDigest(body.state_digest))
  );
}

function isRunOrNone({ run_id: runId, seq, prev }: JsonObject): boolean {
  return runId === undefined
    ? seq === undefined && prev === undefined
    : isText(runId) && isCount(seq) && isDigest(prev);
}

export function isDecision({ decision, policy_digest: policy, engine }: JsonObject): boolean {
  return (
    (decision === 'allow' || decision === 'block' || decision === 'hold') &&
    (policy === null || isDigest(policy)) &&
    isCount(engine)
  );
}

export function isChangeBody(body: JsonObject): boolean {
  return (
    body.v === 0 &&
    isText(body.kind) &&
    isText(body.tenant) &&
    isText(body.event_id) &&
    (body.kind !== 'run.opened' || body.correlation === undefined)
  );
}

export function isObservationBody(body: JsonObject): boolean {
  return (
    body.v === 0 && isText(body.kind) && isText(body.tenant) && isText(body.source_id) && isId(body.observation_id)
  );
}

export function isTransaction(body: JsonObject): boolean {
  const { relations, token_hashes: tokens, commit_end_lsn: lsn } = body;
  return (
    isText(body.system_id) &&
    isCount(body.timeline) &&
    typeof lsn === 'string' &&
    LSN.test(lsn) &&
    isCount(body.committed_at) &&
    Array.isArray(relations) &&
    relations.every(isRelation) &&
    Array.isArray(tokens) &&
    tokens.every(isDigest)
  );
}

function isRelation(value: JsonValue): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return false;
  }
  return (
    isText(value.schema) &&
    isText(value.name) &&
    isCount(value.inserts) &&
    isCount(value.updates) &&
    isCount(value.deletes) &&
    isCount(value.truncates) &&
    (value.ddl === undefined || isCount(value.ddl))
  );
}
