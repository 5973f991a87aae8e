// SPDX-License-Identifier: Apache-2.0
import { createHmac } from 'node:crypto';
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';

/** What a snapshot looks at. Metadata only: no part of it is a value of a row. */
export const SNAPSHOT_PARTS = [
  'columns',
  'constraints',
  'indexes',
  'grants',
  'estimates',
  'sizes',
  'checksums',
] as const;
export type SnapshotPart = (typeof SNAPSHOT_PARTS)[number];

/** docs/guides/snapshots.md. `relations` lists `schema.name` or `schema.*`; the empty list is every user relation. */
export type SnapshotPolicy = {
  readonly format: 'clyra/snapshot-policy/v0';
  readonly parts: readonly SnapshotPart[];
  readonly relations: readonly string[];
  /** Rows of each relation, first in key order, that a sample checksum covers. */
  readonly sample_rows: number;
};

export type SnapshotColumn = {
  readonly name: string;
  readonly type: string;
  readonly nullable: boolean;
  readonly default: string | null;
  /** `stored`, `always`, `by default` or null. */
  readonly generated: string | null;
  readonly collation: string | null;
};
export type SnapshotConstraint = { readonly name: string; readonly definition: string; readonly validated: boolean };
export type SnapshotIndex = { readonly name: string; readonly definition: string; readonly valid: boolean };
export type SnapshotGrant = { readonly grantee: string; readonly privilege: string; readonly grantable: boolean };

/** Every list is sorted by name, columns stand in their order. A part that was not asked for is absent. */
export type SnapshotRelation = {
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table';
  readonly owner: string;
  readonly replica_identity: string;
  readonly row_security: boolean;
  readonly columns?: readonly SnapshotColumn[];
  readonly constraints?: readonly SnapshotConstraint[];
  readonly indexes?: readonly SnapshotIndex[];
  readonly grants?: readonly SnapshotGrant[];
  /** The planner's, −1 where it has none. */
  readonly estimate?: { readonly rows: number; readonly pages: number };
  readonly size?: { readonly table_bytes: number; readonly index_bytes: number };
  /** HMAC of the sample, or null where a relation has no key to take one by. */
  readonly sample?: { readonly rows: number; readonly digest: Digest } | null;
};

/**
 * Where in the source's log the snapshot stands. `snapshot` is PostgreSQL's own (`xmin:xmax:xip,…`): exactly the
 * transactions visible in it are contained. `lsn` was read with it, and is near: a commit may be in the log a moment
 * before it can be seen.
 */
export type SnapshotAnchor = {
  readonly system_id: string;
  readonly timeline: number;
  readonly lsn: string;
  readonly snapshot: string;
};

export type Snapshot = {
  readonly format: 'clyra/snapshot/v0';
  readonly tenant: string;
  readonly source_id: string | null;
  /** HMAC of the address under the tenant's key: equal for the same database, and nobody can guess it back. */
  readonly dsn_digest: Digest;
  readonly server_version: string;
  /** Milliseconds, the source's clock. */
  readonly taken_at: number;
  readonly anchor: SnapshotAnchor;
  readonly policy: SnapshotPolicy;
  readonly relations: readonly SnapshotRelation[];
  /** Digest of what a schema is: the relations without estimates, sizes and samples. */
  readonly schema_digest: Digest;
};

export function dsnDigest(dsn: string, key: Uint8Array): Digest {
  return createHmac('sha256', key).update('clyra/dsn/v0\n').update(dsn).digest('hex');
}

/** What leaves the database of a sample is already a digest; keyed, it says nothing to who could guess the rows. */
export function sampleDigest(sampleSha256Hex: string, key: Uint8Array): Digest {
  return createHmac('sha256', key).update('clyra/sample/v0\n').update(sampleSha256Hex).digest('hex');
}

export function schemaDigest(relations: readonly SnapshotRelation[]): Digest {
  const schema = relations.map(({ estimate: _e, size: _s, sample: _c, ...rest }) => rest);
  return digestOf(canonicalJson(schema as unknown as JsonObject[]));
}

/** Canonical bytes (RFC 8785): the same snapshot has one digest. */
export function encodeSnapshot(snapshot: Snapshot): Uint8Array {
  return Buffer.from(canonicalJson(snapshot as unknown as JsonObject), 'utf8');
}
