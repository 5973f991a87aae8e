// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseRecord } from '../canonical/record.ts';
import { PARTITION_TENANT } from '../change/change-body.ts';
import {
  ID,
  readDigest,
  readInteger,
  readList,
  readText,
  STREAM_ID,
  shapeError,
  TENANT,
  UUID,
} from '../change/shape.ts';
import type { ReceiptBody } from '../enforcement/receipt-body.ts';

const RECEIPT_ID = /^[0-9a-f]{32}$/;
const DECISION = /^(?:allow|block|hold)$/;
const OPERATION = /^(?:insert|update|delete|truncate|ddl)$/;
const KIND = /^[a-z][a-z._]{0,63}$/;
const EVENT_OF_POISON = /^.{0,64}$/;
const GRANT_COUNT_MAX = 64;

/** Reads the members of a receipt that readers of the log rely on. Throws JsonError or CLY_RECORD_SHAPE. */
export function parseReceipt(bytes: Uint8Array): ReceiptBody {
  return readReceipt(parseRecord(bytes));
}

export function readReceipt(record: JsonObject): ReceiptBody {
  if (record['v'] !== 0) throw shapeError('v is not 0');
  checkPlace(record);
  switch (record['kind']) {
    case 'decided':
      readText(record, 'decision', DECISION);
      readInteger(record, 'engine');
      if (record['policy_digest'] !== null) readDigest(record, 'policy_digest');
      if (record['state_digest'] !== undefined) readDigest(record, 'state_digest');
      if (record['count'] !== undefined) readInteger(record, 'count');
      if (record['grants'] !== undefined)
        for (const grant of readList(record, 'grants', GRANT_COUNT_MAX)) checkGrant(grant);
      checkReasons(record);
      break;
    case 'recorded':
      readText(record, 'effect', KIND);
      break;
    case 'poisoned':
      readText(record, 'reason', KIND_OF_REASON);
      readDigest(record, 'record_digest');
      readInteger(record, 'record_size');
      break;
    default:
      throw shapeError('kind is not a receipt');
  }
  return record as unknown as ReceiptBody;
}

const KIND_OF_REASON = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/;

function checkPlace(record: JsonObject): void {
  const ofPartition = record['tenant'] === PARTITION_TENANT;
  if (!ofPartition) readText(record, 'tenant', TENANT);
  readText(record, 'receipt_id', RECEIPT_ID);
  readText(record, 'event_id', ofPartition ? EVENT_OF_POISON : UUID);
  readText(record, 'stream_id', STREAM_ID);
  if (record['kind'] !== 'poisoned') readText(record, 'change_kind', KIND);
  for (const name of ['tenant_seq', 'partition', 'offset', 'decided_at']) readInteger(record, name);
  readInteger(record, 'previous_offset', -1);
  for (const name of ['tenant_prev', 'change_digest']) readDigest(record, name);
  const inRun = ['run_id', 'seq', 'prev'].filter((name) => record[name] !== undefined).length;
  if (inRun === 0) return;
  if (inRun !== 3) throw shapeError('run_id, seq and prev stand together');
  readText(record, 'run_id', ID);
  readInteger(record, 'seq');
  readDigest(record, 'prev');
}

function checkReasons(record: JsonObject): void {
  for (const reason of readList(record, 'reasons', 1_024)) {
    if (!isJsonObject(reason) || typeof reason['code'] !== 'string') throw shapeError('a reason has no code');
  }
}

function checkGrant(grant: JsonValue): void {
  if (!isJsonObject(grant)) throw shapeError('a grant is not an object');
  readDigest(grant, 'token_hash');
  readText(grant, 'source_id', ID);
  for (const name of ['rows_max', 'expires_at']) readInteger(grant, name);
  const relations = readList(grant, 'relations', 1_024);
  if (!relations.every((relation) => typeof relation === 'string')) throw shapeError('a relation is not a name');
  const operations = readList(grant, 'operations', 5);
  if (!operations.every((operation) => typeof operation === 'string' && OPERATION.test(operation))) {
    throw shapeError('an operation is unknown');
  }
}
