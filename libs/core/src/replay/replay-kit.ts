// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { canonicalJson } from '../canonical/canonical-json.ts';
import { DIGEST, type Digest } from '../canonical/digest.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import {
  ID,
  onlyMembers,
  readDigest,
  readInteger,
  readList,
  readObject,
  readText,
  shapeError,
  TENANT,
  UUID,
} from '../change/shape.ts';

/** The values of one column, in any order, under the tenant's key: whoever lacks it cannot guess a small table. */
export type ExpectedColumn = { readonly name: string; readonly digest: Digest };

export type ExpectedRelation = {
  readonly schema: string;
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly ExpectedColumn[];
};

/** A dbt run of this bundle, whose SQL its artifacts hold (docs/guides/replay.md). */
export type DbtKit = {
  readonly manifest: Digest;
  readonly run_results: Digest;
  /** The run of the journal whose changes the dbt run made; null where there was none. */
  readonly run_id: string | null;
  readonly seeds: readonly {
    readonly unique_id: string;
    /** Of the CSV file. */
    readonly sha256: Digest;
    readonly columns: readonly { readonly name: string; readonly type: string }[];
  }[];
  /** Statements that changed tables of incremental models, as dbt left them in `target/run`. */
  readonly statements: readonly { readonly unique_id: string; readonly sha256: Digest }[];
};

/** What a data replay needs that stands in no line (docs/spec/statements.md §2.2). */
export type ReplayKit = {
  readonly format: 'clyra/replay-kit/v0';
  readonly tenant: string;
  readonly source_id: string;
  /** SQL texts that make the state before the first step, by digest, in order. */
  readonly base: readonly Digest[];
  /** Schemas that the steps write to, made empty before the base. */
  readonly schemas: readonly string[];
  readonly search_path: readonly string[];
  /** Where sequences stand before the first step. */
  readonly sequences: readonly { readonly schema: string; readonly name: string; readonly value: number }[];
  /** Request targets, which a line holds as a digest. */
  readonly targets: readonly { readonly event_id: string; readonly target: string }[];
  /** What the tables hold after the last step. */
  readonly expected: readonly ExpectedRelation[];
  readonly dbt?: DbtKit;
};

const LIMITS = { bytesMax: 67_108_864, depthMax: 8, valuesMax: 2_000_000 };
const MEMBERS = new Set([
  'format',
  'tenant',
  'source_id',
  'base',
  'schemas',
  'search_path',
  'sequences',
  'targets',
  'expected',
  'dbt',
]);
const DBT_MEMBERS = new Set(['manifest', 'run_results', 'run_id', 'seeds', 'statements']);
const NODE_ID = /^[^\u0000-\u001f\u007f]{1,600}$/;
const TYPE = /^[\w ."(),[\]]{1,256}$/;
const NAME = /^[^\u0000]{1,63}$/;
const TARGET = /^\/[\u0021-\u007e]{0,8191}$/;
const SOURCE_ID = /^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/;
const LIST_MAX = 4_096;
const TARGETS_MAX = 1_000_000;

/** Throws JsonError or CLY_RECORD_SHAPE for bytes that are no replay kit. */
export function readReplayKit(bytes: Uint8Array): ReplayKit {
  const kit = parseJson(bytes, LIMITS);
  if (!isJsonObject(kit)) throw shapeError('a replay kit is an object');
  onlyMembers(kit, MEMBERS);
  readText(kit, 'format', /^clyra\/replay-kit\/v0$/);
  readText(kit, 'tenant', TENANT);
  readText(kit, 'source_id', SOURCE_ID);
  for (const digest of readList(kit, 'base', LIST_MAX)) textIs(digest, DIGEST, 'base');
  for (const name of readList(kit, 'schemas', LIST_MAX)) textIs(name, NAME, 'schemas');
  for (const name of readList(kit, 'search_path', LIST_MAX)) textIs(name, NAME, 'search_path');
  for (const entry of objectsOf(kit, 'sequences', LIST_MAX)) {
    for (const member of ['schema', 'name']) readText(entry, member, NAME);
    readInteger(entry, 'value', Number.MIN_SAFE_INTEGER);
  }
  for (const entry of objectsOf(kit, 'targets', TARGETS_MAX)) {
    readText(entry, 'event_id', UUID);
    readText(entry, 'target', TARGET);
  }
  for (const entry of objectsOf(kit, 'expected', LIST_MAX)) checkExpected(entry);
  if (kit['dbt'] !== undefined) checkDbt(readObject(kit, 'dbt'));
  return kit as unknown as ReplayKit;
}

/** Canonical, so that the same kit has one digest. */
export function encodeReplayKit(kit: ReplayKit): Uint8Array {
  return Buffer.from(canonicalJson(kit as unknown as JsonObject), 'utf8');
}

/** `sum` is the order-free sum of the column's value hashes over the whole table, in decimal. */
export function columnDigest(key: Uint8Array, of: { relation: string; column: string; sum: string }): Digest {
  const text = `clyra/column/v0\n${of.relation}\n${of.column}\n${of.sum}`;
  return createHmac('sha256', key).update(text).digest('hex');
}

function checkExpected(entry: JsonObject): void {
  for (const member of ['schema', 'name']) readText(entry, member, NAME);
  readInteger(entry, 'rows');
  for (const column of objectsOf(entry, 'columns', LIST_MAX)) {
    readText(column, 'name', NAME);
    readDigest(column, 'digest');
  }
}

function checkDbt(dbt: JsonObject): void {
  onlyMembers(dbt, DBT_MEMBERS);
  for (const member of ['manifest', 'run_results']) readDigest(dbt, member);
  if (dbt['run_id'] !== null) readText(dbt, 'run_id', ID);
  for (const name of ['seeds', 'statements']) {
    for (const entry of objectsOf(dbt, name, LIST_MAX)) {
      readText(entry, 'unique_id', NODE_ID);
      readDigest(entry, 'sha256');
      if (name === 'statements') continue;
      for (const column of objectsOf(entry, 'columns', LIST_MAX)) {
        readText(column, 'name', NAME);
        readText(column, 'type', TYPE);
      }
    }
  }
}

function objectsOf(object: JsonObject, name: string, countMax: number): readonly JsonObject[] {
  return readList(object, name, countMax).map((entry) => {
    if (!isJsonObject(entry)) throw shapeError(`${name} holds something else than objects`);
    return entry;
  });
}

function textIs(value: JsonValue, pattern: RegExp, name: string): void {
  if (typeof value !== 'string' || !pattern.test(value)) throw shapeError(`${name} holds a text of another form`);
}
