// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseRecord } from '../canonical/record.ts';
import { type ChangeBody, COMMAND_KINDS, type CommandKind, PARTITION_TENANT } from './change-body.ts';
import { checkFacts } from './check-facts.ts';
import { checkCorrelation } from './correlation.ts';
import { checkResponseFact } from './inspection-facts.ts';
import {
  ID,
  onlyMembers,
  readDigest,
  readInteger,
  readList,
  readObject,
  readText,
  SHORT_TEXT,
  STREAM_ID,
  shapeError,
  TENANT,
  UUID,
} from './shape.ts';

const COMMON = ['v', 'kind', 'tenant', 'event_id', 'intake', 'intake_at'];
const RUN_MEMBERS = [...COMMON, 'run_id', 'actor', 'principal'];
const INTAKE_MEMBERS = new Set(['instance', 'epoch']);
const COMMAND_MEMBERS = new Set([...COMMON, 'command', 'signatures', 'documents']);
const DOCUMENT_MEMBERS = new Set(['document', 'sha256', 'size']);
/** A map: `constructor` and the like are texts that a hostile record may hold as its kind. */
const MEMBERS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['stream.opened', new Set([...COMMON, 'stream_id', 'partition', 'partition_count', 'previous_stream'])],
  ['change.requested', new Set([...COMMON, 'run_id', 'supersedes', 'facts'])],
  ['change.outcome', new Set([...COMMON, 'of', 'outcome', 'upstream_status', 'detail', 'response'])],
  ['run.opened', new Set([...RUN_MEMBERS, 'correlation'])],
  ['run.closed', new Set(RUN_MEMBERS)],
  ['window.closed', new Set([...COMMON, 'number'])],
  ['clock.ticked', new Set([...COMMON, 'number'])],
]);
/** A change stands inside a journal line beside its receipt, so it must leave room for both in 65,535 bytes and depth 32. */
const CHANGE_BYTES_MAX = 32_768;
const CHANGE_DEPTH_MAX = 24;
const OUTCOME = /^(?:done|failed|not_forwarded)$/;
const BASE64_64_BYTES = /^[A-Za-z0-9+/]{86}==$/;
const KEY_ID = /^[0-9a-f]{32}$/;
const DOCUMENTS_MAX = 16;
const DOCUMENT_NAME = /^[a-z][a-z0-9_]{0,63}$/;

/**
 * Reads the bytes of a change body (docs/spec/records.md §4). Throws JsonError or CLY_RECORD_SHAPE: such a record is
 * poison, and whether it is depends on nothing but these bytes.
 */
export function parseChange(bytes: Uint8Array): ChangeBody {
  if (bytes.length > CHANGE_BYTES_MAX) throw shapeError(`the body is larger than ${CHANGE_BYTES_MAX} bytes`);
  const record = parseRecord(bytes);
  if (depthOf(record) > CHANGE_DEPTH_MAX) throw shapeError(`the body is deeper than ${CHANGE_DEPTH_MAX}`);
  if (record['v'] !== 0) throw shapeError('v is not 0');
  const kind = record['kind'];
  if (typeof kind !== 'string') throw shapeError('kind is not a text');
  const isCommand = COMMAND_KINDS.includes(kind as CommandKind);
  const members = isCommand ? COMMAND_MEMBERS : MEMBERS.get(kind);
  if (members === undefined) throw shapeError('kind is unknown');
  onlyMembers(record, members);
  checkCommon(record, kind);
  if (isCommand) checkCommand(record);
  else checkKind(record, kind);
  return record as unknown as ChangeBody;
}

function checkCommon(record: JsonObject, kind: string): void {
  if (kind === 'stream.opened') {
    if (record['tenant'] !== PARTITION_TENANT) throw shapeError('stream.opened belongs to the partition');
  } else {
    readText(record, 'tenant', TENANT);
  }
  readText(record, 'event_id', UUID);
  readInteger(record, 'intake_at');
  const intake = readObject(record, 'intake');
  onlyMembers(intake, INTAKE_MEMBERS);
  readText(intake, 'instance', ID);
  readInteger(intake, 'epoch');
}

function checkKind(record: JsonObject, kind: string): void {
  switch (kind) {
    case 'stream.opened':
      readText(record, 'stream_id', STREAM_ID);
      readInteger(record, 'partition');
      readInteger(record, 'partition_count', 1);
      if (record['previous_stream'] !== null) readText(record, 'previous_stream', STREAM_ID);
      return;
    case 'change.requested':
      if (record['run_id'] !== undefined) readText(record, 'run_id', ID);
      if (record['supersedes'] !== undefined) readText(record, 'supersedes', UUID);
      checkFacts(readObject(record, 'facts'));
      return;
    case 'change.outcome':
      readText(record, 'of', UUID);
      readText(record, 'outcome', OUTCOME);
      if (record['upstream_status'] !== undefined) readInteger(record, 'upstream_status', 100);
      if (record['detail'] !== undefined) readText(record, 'detail', SHORT_TEXT);
      if (record['response'] !== undefined) checkResponseFact(readObject(record, 'response'));
      return;
    case 'run.opened':
    case 'run.closed':
      for (const name of ['run_id', 'actor', 'principal']) readText(record, name, ID);
      // A run.closed has no such member: its names are closed.
      if (record['correlation'] !== undefined) checkCorrelation(readObject(record, 'correlation'));
      return;
    default:
      readInteger(record, 'number');
  }
}

function checkCommand(record: JsonObject): void {
  const command = readObject(record, 'command');
  if (command['kind'] !== record['kind']) throw shapeError('the command is of another kind');
  if (command['tenant'] !== record['tenant']) throw shapeError('the command is for another tenant');
  const signatures = readList(record, 'signatures', 8);
  if (signatures.length === 0) throw shapeError('a command has a signature');
  for (const signature of signatures) checkCommandSignature(signature);
  if (record['documents'] !== undefined) readList(record, 'documents', DOCUMENTS_MAX).forEach(checkDocument);
}

function checkCommandSignature(signature: JsonValue): void {
  if (!isJsonObject(signature)) throw shapeError('a signature is not an object');
  onlyMembers(signature, new Set(['key_id', 'sig']));
  readText(signature, 'key_id', KEY_ID);
  readText(signature, 'sig', BASE64_64_BYTES);
}

function checkDocument(document: JsonValue): void {
  if (!isJsonObject(document)) throw shapeError('a document is not an object');
  onlyMembers(document, DOCUMENT_MEMBERS);
  readText(document, 'document', DOCUMENT_NAME);
  readDigest(document, 'sha256');
  readInteger(document, 'size');
}

function depthOf(value: JsonValue): number {
  if (typeof value !== 'object' || value === null) return 0;
  let deepest = 0;
  for (const member of Object.values(value)) deepest = Math.max(deepest, depthOf(member as JsonValue));
  return deepest + 1;
}
