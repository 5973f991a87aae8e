// SPDX-License-Identifier: Apache-2.0
import { canonicalJson } from '../canonical/canonical-json.ts';
import type { JsonValue } from '../canonical/json-value.ts';
import type { Snapshot, SnapshotRelation } from '../snapshot/snapshot.ts';

/** `before` and `after` are the printed definition, null where there is none. */
export type SchemaChange = {
  readonly relation: string;
  readonly what: 'relation' | 'property' | 'column' | 'column_order' | 'constraint' | 'index' | 'grant';
  readonly name: string;
  readonly change: 'added' | 'removed' | 'changed';
  readonly before: string | null;
  readonly after: string | null;
};

/** Planner estimates and sizes: they drift by themselves, so they are told apart from changes of the schema. */
export type Volume = {
  readonly relation: string;
  readonly rows_before: number | null;
  readonly rows_after: number | null;
  readonly bytes_before: number | null;
  readonly bytes_after: number | null;
  /** null where one of both has no sample. */
  readonly sample_equal: boolean | null;
};

export type SchemaDrift = { readonly changes: readonly SchemaChange[]; readonly volumes: readonly Volume[] };

type Named = { readonly what: SchemaChange['what']; readonly name: string; readonly definition: string };

/**
 * What changed between two snapshots, in the order of relation, kind and name: the same two documents always give the
 * same answer. A part that one of them did not take is not compared.
 */
export function schemaDrift(before: Snapshot, after: Snapshot): SchemaDrift {
  const left = byName(before);
  const right = byName(after);
  const names = [...new Set([...left.keys(), ...right.keys()])].sort(byText);
  const changes: SchemaChange[] = [];
  const volumes: Volume[] = [];
  for (const name of names) {
    const [old, now] = [left.get(name), right.get(name)];
    changes.push(...relationChanges(name, old, now));
    const volume = volumeOf(name, old, now);
    if (volume !== undefined) volumes.push(volume);
  }
  return { changes, volumes };
}

function byName({ relations }: Snapshot): ReadonlyMap<string, SnapshotRelation> {
  return new Map(relations.map((relation) => [`${relation.schema}.${relation.name}`, relation]));
}

function relationChanges(
  relation: string,
  old: SnapshotRelation | undefined,
  now: SnapshotRelation | undefined,
): readonly SchemaChange[] {
  if (old === undefined || now === undefined) {
    const [before, after] = [old?.kind ?? null, now?.kind ?? null];
    return [
      { relation, what: 'relation', name: relation, change: now === undefined ? 'removed' : 'added', before, after },
    ];
  }
  const changes = [
    ...changesOf(relation, propertiesOf(old), propertiesOf(now)),
    ...changesOf(relation, columnsOf(old, now), columnsOf(now, old)),
    ...columnOrder(relation, old, now),
    ...(['constraints', 'indexes', 'grants'] as const).flatMap((part) =>
      changesOf(relation, partOf(old, now, part), partOf(now, old, part)),
    ),
  ];
  return changes;
}

function propertiesOf({ kind, owner, replica_identity: identity, row_security: security }: SnapshotRelation): Named[] {
  const properties = { kind, owner, replica_identity: identity, row_security: String(security) };
  return Object.entries(properties).map(([name, definition]) => ({ what: 'property', name, definition }));
}

function columnsOf(relation: SnapshotRelation, other: SnapshotRelation): Named[] {
  if (relation.columns === undefined || other.columns === undefined) return [];
  return relation.columns.map((column) => {
    const parts = [
      column.type,
      column.nullable ? '' : 'not null',
      column.default === null ? '' : `default ${column.default}`,
      column.generated === null ? '' : `generated ${column.generated}`,
      column.collation === null ? '' : `collate ${column.collation}`,
    ];
    return { what: 'column', name: column.name, definition: parts.filter((part) => part !== '').join(' ') };
  });
}

/** Of the columns that both have: whoever reads by position sees other values. */
function columnOrder(relation: string, old: SnapshotRelation, now: SnapshotRelation): readonly SchemaChange[] {
  if (old.columns === undefined || now.columns === undefined) return [];
  const names = (one: SnapshotRelation): string[] => (one.columns ?? []).map(({ name }) => name);
  const common = (one: SnapshotRelation, other: SnapshotRelation): string =>
    names(one)
      .filter((name) => names(other).includes(name))
      .join(', ');
  const [before, after] = [common(old, now), common(now, old)];
  return before === after ? [] : [{ relation, what: 'column_order', name: '*', change: 'changed', before, after }];
}

function partOf(
  relation: SnapshotRelation,
  other: SnapshotRelation,
  part: 'constraints' | 'indexes' | 'grants',
): Named[] {
  if (relation[part] === undefined || other[part] === undefined) return [];
  if (part === 'grants') {
    return (relation.grants ?? []).map(({ grantee, privilege, grantable }) => ({
      what: 'grant',
      name: `${privilege} to ${grantee}`,
      definition: grantable ? 'with grant option' : 'granted',
    }));
  }
  if (part === 'constraints') {
    return (relation.constraints ?? []).map(({ name, definition, validated }) => ({
      what: 'constraint',
      name,
      definition: validated ? definition : `${definition} (not validated)`,
    }));
  }
  return (relation.indexes ?? []).map(({ name, definition, valid }) => ({
    what: 'index',
    name,
    definition: valid ? definition : `${definition} (invalid)`,
  }));
}

function changesOf(relation: string, old: readonly Named[], now: readonly Named[]): readonly SchemaChange[] {
  const before = new Map(old.map((one) => [one.name, one]));
  const after = new Map(now.map((one) => [one.name, one]));
  return [...new Set([...before.keys(), ...after.keys()])].sort(byText).flatMap((name): SchemaChange[] => {
    const [left, right] = [before.get(name), after.get(name)];
    if (left?.definition === right?.definition) return [];
    const change = left === undefined ? 'added' : right === undefined ? 'removed' : 'changed';
    const what = (left ?? right)?.what ?? 'property';
    return [{ relation, what, name, change, before: left?.definition ?? null, after: right?.definition ?? null }];
  });
}

function volumeOf(
  relation: string,
  old: SnapshotRelation | undefined,
  now: SnapshotRelation | undefined,
): Volume | undefined {
  const bytes = (one: SnapshotRelation | undefined): number | null =>
    one?.size === undefined ? null : one.size.table_bytes + one.size.index_bytes;
  const samples = [old?.sample, now?.sample];
  const hasSamples = samples.every((sample) => sample !== undefined && sample !== null);
  const volume: Volume = {
    relation,
    rows_before: old?.estimate?.rows ?? null,
    rows_after: now?.estimate?.rows ?? null,
    bytes_before: bytes(old),
    bytes_after: bytes(now),
    sample_equal: hasSamples ? canonicalJson(samples[0] as JsonValue) === canonicalJson(samples[1] as JsonValue) : null,
  };
  const isStill =
    volume.rows_before === volume.rows_after &&
    volume.bytes_before === volume.bytes_after &&
    volume.sample_equal !== false;
  return isStill ? undefined : volume;
}

function byText(left: string, right: string): number {
  return left < right ? -1 : Number(left > right);
}
