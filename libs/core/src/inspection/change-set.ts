// SPDX-License-Identifier: Apache-2.0
import { digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import type { Facts } from '../change/change-body.ts';
import {
  CHANGE_SET_BYTES_MAX,
  CHANGE_SET_MEMBERS_MAX,
  type ChangeSetEntry,
  type ChangeSetFact,
  changeSetDigest,
  checkEntry,
} from '../change/change-set-fact.ts';
import { onlyMembers } from '../change/shape.ts';
import { memberToken } from '../grant/grant.ts';
import { ClyraError } from '../kernel/error.ts';
import type { Route } from '../policy/policy.ts';
import { valueAt } from './json-pointer.ts';

/** As callers write it: the statement itself may stand in place of its digest. */
const MEMBERS = new Set([
  'source_id',
  'relations',
  'operations',
  'rows_max',
  'statement',
  'statement_digest',
  'base_state',
]);

/** The change set of a body, each member under a token of its own; nothing where the route has none. */
export function changeSetFact(
  route: Route,
  body: JsonValue | undefined,
  executionToken: string,
): Pick<Facts, 'change_set'> {
  const pointer = route.effects?.members;
  if (pointer === undefined) return {};
  const list = valueAt(body, pointer);
  if (!Array.isArray(list) || list.length === 0) return refused('CLY_CHANGE_SET_MISSING');
  if (list.length > CHANGE_SET_MEMBERS_MAX) return refused('CLY_CHANGE_SET_SIZE');
  const entries: ChangeSetEntry[] = [];
  let bytes = 0;
  for (const member of list as readonly JsonValue[]) {
    const entry = entryOf(member);
    if (entry === undefined) return refused('CLY_CHANGE_SET_MEMBER');
    bytes += encodeRecord(entry as unknown as JsonObject).length;
    if (bytes > CHANGE_SET_BYTES_MAX) return refused('CLY_CHANGE_SET_SIZE');
    entries.push(entry);
  }
  const members = entries.map((entry, index) => ({
    token_hash: digestOf(memberToken(executionToken, index)),
    ...entry,
  }));
  return { change_set: { verdict: 'ok', digest: changeSetDigest(entries), members } };
}

function refused(verdict: string): { change_set: ChangeSetFact } {
  return { change_set: { verdict, digest: null, members: [] } };
}

/** undefined for what is no member, or names a digest that is not its statement's. */
function entryOf(member: JsonValue): ChangeSetEntry | undefined {
  if (!isJsonObject(member)) return undefined;
  try {
    onlyMembers(member, MEMBERS);
    const { statement, statement_digest: given = null } = member;
    if (statement !== undefined && typeof statement !== 'string') return undefined;
    const digest = statement === undefined ? given : digestOf(statement);
    if (given !== null && given !== digest) return undefined;
    const { source_id, relations, operations, rows_max, base_state = null } = member;
    const entry = { source_id, relations, operations, rows_max, statement_digest: digest, base_state };
    checkEntry(entry as JsonObject);
    // What a record cannot hold, it must not come to hold here.
    encodeRecord(entry as JsonObject);
    return entry as unknown as ChangeSetEntry;
  } catch (error) {
    if (error instanceof ClyraError) return undefined;
    throw error;
  }
}
