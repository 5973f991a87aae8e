// SPDX-License-Identifier: Apache-2.0
import { type JsonObject, Members } from '../json/json-value.ts';
import { HEX, LastText, UPPER_HEX } from '../json/plain-cursor.ts';
import type { PlainReader } from '../json/plain-reader.ts';

const LSN_DIGITS_MAX = 8;
const ID_DIGITS = 32;
const DIGEST_DIGITS = 64;
const END_LSN = Buffer.from('{"commit_end_lsn":"');
const SLASH = Buffer.from('/');
const COMMITTED_AT = Buffer.from('","committed_at":');
const DDL = Buffer.from(',"ddl":');
const MESSAGES = Buffer.from(',"kind":"transaction","messages":');
const OBSERVATION_ID = Buffer.from(',"observation_id":"');
const RELATIONS = Buffer.from('","relations":[');
const DDL_FIRST = Buffer.from('{"ddl":');
const DELETES = Buffer.from('{"deletes":');
const DELETES_NEXT = Buffer.from(',"deletes":');
const INSERTS = Buffer.from(',"inserts":');
const NAME = Buffer.from(',"name":');
const ROWS_DIGEST = Buffer.from(',"rows_digest":"');
const SCHEMA = Buffer.from('","schema":');
const TRUNCATES = Buffer.from(',"truncates":');
const UPDATES = Buffer.from(',"updates":');
const SOURCE_ID = Buffer.from(',"source_id":');
const STATEMENT = Buffer.from(',"statement":');
const SYSTEM_ID = Buffer.from(',"system_id":');
const TENANT = Buffer.from(',"tenant":');
const TIMELINE = Buffer.from(',"timeline":');
const TOKEN_HASHES = Buffer.from(',"token_hashes":[');
const LIST_END = Buffer.from(']');
const UNKNOWN_TYPES = Buffer.from(',"unknown_types":');
const VERSION_XID = Buffer.from(',"v":0,"xid":');
const QUOTE = Buffer.from('"');
const COMMA = Buffer.from(',');
const END = Buffer.from('}');
const lastName = new LastText();
const lastSchema = new LastText();
const lastSource = new LastText();
const lastSystem = new LastText();
const lastTenant = new LastText();

/**
 * Reads the body of a transaction at the reader's place, as recorders write it: every member where it always stands, of the
 * form that the rules ask for. Gives what they read of it, and null, back at its place, for any other body.
 */
export function readPlainTransaction(reader: PlainReader, depth: number): JsonObject | null {
  return reader.tries(() => readTransaction(reader, depth));
}

function readTransaction(reader: PlainReader, depth: number): JsonObject {
  const body = new Members();
  reader.expect(END_LSN);
  body.commit_end_lsn = readLsn(reader);
  reader.expect(COMMITTED_AT);
  body.committed_at = reader.count();
  skipOptional(reader, DDL, depth);
  reader.expect(MESSAGES);
  reader.count();
  body.kind = 'transaction';
  reader.expect(OBSERVATION_ID);
  const idAt = reader.run(HEX, ID_DIGITS);
  body.observation_id = reader.once(idAt, idAt + ID_DIGITS);
  reader.expect(RELATIONS);
  body.relations = readRelations(reader);
  reader.expect(SOURCE_ID);
  body.source_id = reader.stringAgain(lastSource);
  skipOptional(reader, STATEMENT, depth);
  reader.expect(SYSTEM_ID);
  body.system_id = reader.stringAgain(lastSystem);
  reader.expect(TENANT);
  body.tenant = reader.stringAgain(lastTenant);
  reader.expect(TIMELINE);
  body.timeline = reader.count();
  reader.expect(TOKEN_HASHES);
  body.token_hashes = readTokenHashes(reader);
  skipOptional(reader, UNKNOWN_TYPES, depth);
  reader.expect(VERSION_XID);
  body.v = 0;
  reader.count();
  reader.expect(END);
  return body;
}

/** Steps over a member that no rule reads, if it stands here. */
function skipOptional(reader: PlainReader, name: Buffer, depth: number): void {
  if (reader.takes(name)) {
    reader.skip(depth + 1);
  }
}

function readLsn(reader: PlainReader): string {
  const from = reader.at;
  reader.runUpTo(UPPER_HEX, LSN_DIGITS_MAX);
  reader.expect(SLASH);
  reader.runUpTo(UPPER_HEX, LSN_DIGITS_MAX);
  return reader.once(from, reader.at);
}

function readRelations(reader: PlainReader): JsonObject[] {
  const relations: JsonObject[] = [];
  if (reader.takes(LIST_END)) {
    return relations;
  }
  do {
    relations.push(readRelation(reader));
  } while (reader.takes(COMMA));
  reader.expect(LIST_END);
  return relations;
}

/** Without the digest of its rows, which is not carried (journal.md §4). */
function readRelation(reader: PlainReader): JsonObject {
  const relation = new Members();
  if (reader.takes(DDL_FIRST)) {
    relation.ddl = reader.count();
    reader.expect(DELETES_NEXT);
  } else {
    reader.expect(DELETES);
  }
  relation.deletes = reader.count();
  reader.expect(INSERTS);
  relation.inserts = reader.count();
  reader.expect(NAME);
  relation.name = reader.stringAgain(lastName);
  reader.expect(ROWS_DIGEST);
  reader.run(HEX, DIGEST_DIGITS);
  reader.expect(SCHEMA);
  relation.schema = reader.stringAgain(lastSchema);
  reader.expect(TRUNCATES);
  relation.truncates = reader.count();
  reader.expect(UPDATES);
  relation.updates = reader.count();
  reader.expect(END);
  return relation;
}

function readTokenHashes(reader: PlainReader): string[] {
  const hashes: string[] = [];
  if (reader.takes(LIST_END)) {
    return hashes;
  }
  do {
    reader.expect(QUOTE);
    const from = reader.run(HEX, DIGEST_DIGITS);
    hashes.push(reader.text(from, from + DIGEST_DIGITS));
    reader.expect(QUOTE);
  } while (reader.takes(COMMA));
  reader.expect(LIST_END);
  return hashes;
}
