// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import { type Digest, digestOf } from '../canonical/digest.ts';
import type { JsonObject } from '../canonical/json-value.ts';
import type { Snapshot, SnapshotAnchor } from '../snapshot/snapshot.ts';
import type { MetricChange } from './metric-drift.ts';
import type { SchemaChange, SchemaDrift, Volume } from './schema-drift.ts';
import type { TableDiff } from './table-diff.ts';

export type DiffSide = {
  /** What people call it: a file, an address without its password. */
  readonly label: string;
  readonly anchor: SnapshotAnchor | null;
  /** Of the whole document that was compared, or null for live data. */
  readonly digest: Digest | null;
};

export type ComparedTable = TableDiff & {
  readonly hash: string;
  readonly key: readonly string[];
  readonly uncompared: readonly { readonly name: string; readonly side: string }[];
  readonly retyped: readonly { readonly name: string; readonly before: string; readonly after: string }[];
};

/** One comparison, whole. It has no time of its own: the same two states give the same bytes. */
export type DiffReport = {
  readonly format: 'clyra/diff/v0';
  readonly before: DiffSide;
  readonly after: DiffSide;
  readonly equal: boolean;
  readonly schema: readonly SchemaChange[];
  readonly volumes: readonly Volume[];
  readonly tables: readonly ComparedTable[];
  readonly metrics: readonly MetricChange[];
};

export type DiffParts = {
  readonly drift?: SchemaDrift;
  readonly tables?: readonly ComparedTable[];
  readonly metrics?: readonly MetricChange[];
};

/** Volumes alone make no difference: estimates and sizes change by themselves, a sample that changed does. */
export function diffReport(before: DiffSide, after: DiffSide, parts: DiffParts): DiffReport {
  const { drift = { changes: [], volumes: [] }, tables = [], metrics = [] } = parts;
  const equal =
    drift.changes.length === 0 &&
    drift.volumes.every(({ sample_equal: isEqual }) => isEqual !== false) &&
    tables.every((table) => table.equal && table.uncompared.length === 0 && table.retyped.length === 0) &&
    metrics.length === 0;
  return {
    format: 'clyra/diff/v0',
    before,
    after,
    equal,
    schema: drift.changes,
    volumes: drift.volumes,
    tables,
    metrics,
  };
}

export function snapshotSide(label: string, snapshot: Snapshot, bytes: Uint8Array): DiffSide {
  return { label, anchor: snapshot.anchor, digest: digestOf(bytes) };
}

export function encodeDiff(report: DiffReport): Uint8Array {
  return Buffer.from(canonicalJson(report as unknown as JsonObject), 'utf8');
}
