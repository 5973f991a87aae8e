// SPDX-License-Identifier: Apache-2.0
import { type Digest, digestOf } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { encodeRecord } from '../canonical/record.ts';
import { OPERATIONS, type Operation } from './operation.ts';
import { ID, onlyMembers, readDigest, readInteger, readList, readObject, readText, shapeError } from './shape.ts';

/** One thing that a change set does at one place. Member names are those on the wire. */
export type ChangeSetEntry = {
  readonly source_id: string;
  /** `schema.name`. */
  readonly relations: readonly string[];
  readonly operations: readonly Operation[];
  /** Rows inserted, updated and deleted together. */
  readonly rows_max: number;
  /** Of the only text that may be run, or null where any may. */
  readonly statement_digest: Digest | null;
  /** Of the state that it was made for (a version, a snapshot), as the caller says, or null. */
  readonly base_state: Digest | null;
};

export type ChangeSetMember = ChangeSetEntry & { readonly token_hash: Digest };

/** Several entries under one decision (docs/spec/records.md §4.1). */
export type ChangeSetFact = {
  /** `ok`, or the code of why there are no members. */
  readonly verdict: string;
  /** Of the entries in order, without their tokens; null where there are none. */
  readonly digest: Digest | null;
  readonly members: readonly ChangeSetMember[];
};

export const CHANGE_SET_MEMBERS_MAX = 32;
/** A change must fit into a journal line beside its receipt, which repeats the members as grants. */
export const CHANGE_SET_BYTES_MAX = 12_288;
export const CHANGE_SET_RELATIONS_MAX = 64;

/** The digest by which people and other systems name a change set. */
export function changeSetDigest(entries: readonly ChangeSetEntry[]): Digest {
  return digestOf(encodeRecord({ v: 0, kind: 'change_set', members: entries as unknown as JsonObject[] }));
}

const FACT_MEMBERS = new Set(['verdict', 'digest', 'members']);
const MEMBERS = new Set([
  'token_hash',
  'source_id',
  'relations',
  'operations',
  'rows_max',
  'statement_digest',
  'base_state',
]);
const VERDICT = /^(?:ok|CLY_CHANGE_SET_[A-Z_]{1,40})$/;
const RELATION = /^[A-Za-z_][A-Za-z0-9_$]{0,62}\.[A-Za-z_][A-Za-z0-9_$]{0,62}$/;
const OPERATION = new RegExp(`^(?:${OPERATIONS.join('|')})$`);

/** Shape of `facts.change_set`. Throws CLY_RECORD_SHAPE. */
export function checkChangeSetFact(facts: JsonObject): void {
  const fact = readObject(facts, 'change_set');
  onlyMembers(fact, FACT_MEMBERS);
  readText(fact, 'verdict', VERDICT);
  if (fact['digest'] !== null) readDigest(fact, 'digest');
  for (const member of readList(fact, 'members', CHANGE_SET_MEMBERS_MAX)) checkMember(member);
}

function checkMember(member: JsonValue): void {
  if (!isJsonObject(member)) throw shapeError('a member of a change set is not an object');
  onlyMembers(member, MEMBERS);
  readDigest(member, 'token_hash');
  checkEntry(member);
}

/** A member without its token, as the fact and the request have it. */
export function checkEntry(entry: JsonObject): void {
  readText(entry, 'source_id', ID);
  checkTexts(readList(entry, 'relations', CHANGE_SET_RELATIONS_MAX), RELATION, 'relations');
  checkTexts(readList(entry, 'operations', OPERATIONS.length), OPERATION, 'operations');
  readInteger(entry, 'rows_max');
  for (const name of ['statement_digest', 'base_state']) if (entry[name] !== null) readDigest(entry, name);
}

function checkTexts(list: readonly JsonValue[], pattern: RegExp, name: string): void {
  const isRight = list.length > 0 && new Set(list).size === list.length;
  if (!isRight || !list.every((text) => typeof text === 'string' && pattern.test(text))) {
    throw shapeError(`${name} is not a list of different texts of the right form`);
  }
}
