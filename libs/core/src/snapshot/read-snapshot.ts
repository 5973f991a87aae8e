// SPDX-License-Identifier: Apache-2.0
import { isJsonObject, type JsonObject, type JsonValue } from '../canonical/json-value.ts';
import { parseJson } from '../canonical/parse-json.ts';
import { ClyraError } from '../kernel/error.ts';
import { SNAPSHOT_PARTS, type Snapshot, type SnapshotPart, type SnapshotPolicy, schemaDigest } from './snapshot.ts';

/** 64 MiB: some hundred thousand columns. */
const LIMITS = { bytesMax: 67_108_864, depthMax: 12, valuesMax: 5_000_000 };
const RELATION = /^[^.\u0000]{1,63}\.(?:\*|[^.\u0000]{1,63})$/;
const POLICY_MEMBERS = new Set(['format', 'parts', 'relations', 'sample_rows']);
const SAMPLE_ROWS_MAX = 100_000;

export const DEFAULT_SNAPSHOT_POLICY: SnapshotPolicy = {
  format: 'clyra/snapshot-policy/v0',
  parts: ['columns', 'constraints', 'indexes', 'grants', 'estimates', 'sizes'],
  relations: [],
  sample_rows: 1_000,
};

/** Reads a snapshot that somebody kept. Throws JsonError, CLY_SNAPSHOT_SHAPE, or CLY_SNAPSHOT_CHANGED where its parts disagree. */
export function readSnapshot(bytes: Uint8Array): Snapshot {
  const value = parseJson(bytes, LIMITS);
  if (!isJsonObject(value) || value['format'] !== 'clyra/snapshot/v0') throw shape('this is no snapshot of version 0');
  const relations = value['relations'];
  if (!Array.isArray(relations) || !relations.every(isRelation)) throw shape('its relations are not of their form');
  const snapshot = value as unknown as Snapshot;
  if (snapshot.schema_digest !== schemaDigest(snapshot.relations)) {
    throw new ClyraError('CLY_SNAPSHOT_CHANGED', 'the relations of the snapshot are not those that were taken', {
      retry: 'never',
    });
  }
  return snapshot;
}

/** Reads a policy that a person wrote; what is absent has its default. Throws CLY_SNAPSHOT_POLICY. */
export function readSnapshotPolicy(value: JsonValue): SnapshotPolicy {
  if (!isJsonObject(value)) throw policyError('it is not an object');
  const unknown = Object.keys(value).find((name) => !POLICY_MEMBERS.has(name));
  if (unknown !== undefined) throw policyError(`${unknown} is unknown; known are ${[...POLICY_MEMBERS].join(', ')}`);
  const { format, parts, relations, sample_rows: rows } = { ...DEFAULT_SNAPSHOT_POLICY, ...value } as JsonObject;
  if (format !== 'clyra/snapshot-policy/v0') throw policyError('format is not clyra/snapshot-policy/v0');
  if (!isListOf(parts, (part) => SNAPSHOT_PARTS.includes(part as SnapshotPart))) {
    throw policyError(`parts are of ${SNAPSHOT_PARTS.join(', ')}`);
  }
  if (!isListOf(relations, (name) => RELATION.test(name)))
    throw policyError('relations are `schema.name` or `schema.*`');
  if (typeof rows !== 'number' || !Number.isInteger(rows) || rows < 1 || rows > SAMPLE_ROWS_MAX) {
    throw policyError(`sample_rows is from 1 to ${SAMPLE_ROWS_MAX}`);
  }
  const known = SNAPSHOT_PARTS.filter((part) => parts.includes(part));
  return { format, parts: known, relations: [...new Set(relations)].sort(), sample_rows: rows };
}

function isListOf(value: JsonValue | undefined, accepts: (item: string) => boolean): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string' && accepts(item));
}

function isRelation(value: JsonValue): boolean {
  return isJsonObject(value) && ['schema', 'name', 'kind', 'owner'].every((name) => typeof value[name] === 'string');
}

function shape(what: string): ClyraError {
  return new ClyraError('CLY_SNAPSHOT_SHAPE', `${what}: take it again with \`clyra snapshot\``, { retry: 'never' });
}

function policyError(what: string): ClyraError {
  return new ClyraError('CLY_SNAPSHOT_POLICY', `the snapshot policy: ${what}`, { retry: 'never' });
}
